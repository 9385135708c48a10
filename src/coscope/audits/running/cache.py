"""Findings of files that have not changed, kept between runs: by content, rules and options.

There is one file for each set of rules, options, compiling interpreter and coscope version, and
each place from which coscope is run. In it an entry's key is a digest of a file's bytes. So there
is nothing to invalidate; what has not been used for a month is taken away.

Each entry has a checksum, keyed by all that names the cache and by the entry's own key. An entry
that was damaged, or copied from another file, version or rule set, is dropped. The key is no
secret: whoever may write the folder can write entries that fit. See SECURITY.md.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple, replace
from pathlib import Path

from coscope.audits.options import Options
from coscope.audits.running.documents import from_entry, to_entry
from coscope.audits.running.engine import Audited
from coscope.audits.running.small_files import write_text
from coscope.readers.caching import cache_folder, own_files
from coscope.rules import Rule

_FORMAT = 3
_DAY = 86_400  # seconds
_KEPT = 30  # days that an entry, or a whole file, lives without being read
_MOST = 100_000  # entries of one file; of more, those used last are kept
_SWEPT = ".swept"  # its time says when old files were last taken away


def default_folder() -> Path:
    """Where the caches of audits belong."""
    return cache_folder() / "audit"


class Cache:
    """Findings by the content of files. It is read at once, and written by `save`."""

    def __init__(
        self,
        folder: Path,
        rules: Sequence[Rule],
        options: Options,
        python: str,
        version: str,
        place: str = "",
    ) -> None:
        """Open a cache; folder and file are made by `save`.

        Args:
            folder: Where caches are.
            rules: That run.
            options: Of the rules.
            python: Release and path of the interpreter that compiles.
            version: Of coscope.
            place: What is audited, so that caches of many projects stay small.
        """
        codes = [rule.code for rule in rules]
        parts = (_FORMAT, version, own_files(), python, codes, astuple(options), place)
        name = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        self.path = folder / f"{name[:40]}.json"
        self._key = bytes.fromhex(name)
        self.today = int(time.time() // _DAY)
        self._held = self._read()
        self._new: dict[str, Entry] = {}  # made or used for the first time today

    @staticmethod
    def key(data: bytes, suffix: str) -> str:
        """Name of the entry for a file's bytes.

        Args:
            data: The bytes.
            suffix: Of the file: ".py" and ".pyc" are read by other means.
        """
        return hashlib.sha256(suffix.encode() + b"\0" + data).hexdigest()

    def get(self, key: str, file: str) -> Audited | None:
        """What is known of a file; None if nothing is, or the entry does not fit its checksum."""
        entry = self._held.get(key)
        if entry is None:
            return None
        try:
            day, codes, text, checksum = entry
            if type(day) is not int or type(codes) is not int or type(text) is not str:
                return None
            if checksum != self._checksum(key, codes, text):
                return None
            findings = tuple(replace(from_entry(each), file=file) for each in json.loads(text))
        except (TypeError, KeyError, ValueError, RecursionError):
            return None
        if day != self.today:
            self._new[key] = (self.today, codes, text, checksum)
        return Audited(file, findings, codes)

    def _checksum(self, key: str, codes: int, text: str) -> str:
        """What fits an entry of this cache, for this file, and no other one."""
        whole = f"{key} {codes} {text}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(whole, digest_size=16, key=self._key).hexdigest()

    def put(self, key: str, audited: Audited) -> None:
        """Keep what was found in a file."""
        findings = [to_entry(replace(finding, file=None)) for finding in audited.findings]
        text = json.dumps(findings, separators=(",", ":"))
        checksum = self._checksum(key, audited.codes, text)
        self._new[key] = (self.today, audited.codes, text, checksum)

    def save(self) -> None:
        """Write what is new. A cache that cannot be written is not an error.

        What another run has written meanwhile is kept; other processes see the whole file, as it
        was or as it is now.
        """
        if not self._new:
            return
        oldest = self.today - _KEPT
        entries = {**self._read(), **self._new}
        kept = {key: each for key, each in entries.items() if _day(each) >= oldest}
        if len(kept) > _MOST:
            latest = sorted(kept, key=lambda key: _day(kept[key]), reverse=True)
            kept = {key: kept[key] for key in latest[:_MOST]}
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_text(self.path, json.dumps({"entries": kept}, separators=(",", ":")))
            _sweep(self.path.parent)

    def _read(self) -> dict[str, Entry]:
        try:
            found = json.loads(self.path.read_bytes())["entries"]
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


# Day of its last use, code objects, findings as JSON, checksum.
Entry = tuple[int, int, str, str]


def _day(entry: object) -> int:
    """The day of an entry's last use; before all days of one that is damaged."""
    if isinstance(entry, tuple | list) and len(entry) == 4 and type(entry[0]) is int:
        return entry[0]
    return -1


def _sweep(folder: Path) -> None:
    """Take away files that were not written for a month; at most once a day."""
    mark = folder / _SWEPT
    if mark.exists() and time.time() - mark.stat().st_mtime < _DAY:
        return
    mark.touch()
    # Files in folders are of earlier versions of coscope.
    for path in (*folder.glob("*.json"), *folder.glob(".new-*"), *folder.glob("??/*.json")):
        if time.time() - path.stat().st_mtime > _KEPT * _DAY:
            path.unlink()
