"""What a corpus folder says of itself: which scan wrote it, whether it is whole, what is in it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from coscope.corpus.schema import SCHEMA_VERSION
from coscope.corpus.store import PARTITION, write_text
from coscope.errors import CoscopeError, TargetNotFound

MANIFEST = "corpus.json"
_LOCK = "scan.lock"


@dataclass(frozen=True, slots=True)
class Report:
    """What a scan did."""

    folder: str
    places: int  # files and members that were found
    contents: int  # different contents among them
    scanned: int  # contents read by this scan; the others were in the corpus already
    codes: int  # code objects in the corpus
    instructions: int
    unread: tuple[tuple[str, int], ...]  # status and number of contents without code objects
    removed: int  # contents whose places are gone
    parts: int
    tables: tuple[tuple[str, int], ...]  # rows of each table
    warnings: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    python: str = ""


@dataclass(slots=True)
class Manifest:
    """The file `corpus.json`."""

    coscope: str
    schema: int = SCHEMA_VERSION
    state: str = "scanning"  # "complete" once everything is there
    python: str = ""
    optimize: int = 0
    details: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a corpus; None if the folder has none.

    Raises:
        CoscopeError: It is damaged, or of another schema.
    """
    path = folder / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError) as error:
        raise CoscopeError(f"cannot read the corpus: {error}", file=str(path)) from error
    try:
        held = json.loads(text)
        found = Manifest(**held)
    except (ValueError, TypeError) as error:
        raise CoscopeError("this is not the manifest of a corpus", file=str(path)) from error
    if found.schema != SCHEMA_VERSION:
        raise CoscopeError(
            "the corpus was written with another schema",
            file=str(path),
            expected=SCHEMA_VERSION,
            found=found.schema,
            hint="Scan into a new folder.",
        )
    return found


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest; it appears when it is whole."""
    write_text(folder / MANIFEST, json.dumps(asdict(manifest), indent=1, sort_keys=True) + "\n")


def complete_manifest(folder: str | os.PathLike[str]) -> Manifest:
    """The manifest of a corpus that can be asked.

    Raises:
        TargetNotFound: There is no corpus.
        CoscopeError: Its scan did not end.
    """
    path = Path(folder)
    found = read_manifest(path)
    if found is None:
        raise TargetNotFound(
            "this is not a corpus",
            file=str(path),
            hint="Make one: coscope corpus scan PATHS -o FOLDER.",
        )
    if found.state != "complete":
        raise CoscopeError(
            "the scan of this corpus was interrupted",
            file=str(path),
            hint="Run the scan again: it goes on where it stopped.",
        )
    return found


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other scans out of the folder.

    Raises:
        CoscopeError: Another scan is writing into it, or the folder cannot be written.
    """
    path = folder / _LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _take(path)
    except OSError as error:
        raise CoscopeError(
            f"cannot write the corpus: {error.strerror}", file=str(folder)
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()


def _take(path: Path) -> None:
    # Linked, not created: so the lock has its content from the first moment on.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(str(os.getpid()))
    try:
        for _attempt in range(2):
            try:
                os.link(draft, path)
                return
            except FileExistsError:
                owner = _owner(path)
                if owner is not None and _alive(owner):
                    break
                path.unlink(missing_ok=True)  # its process is gone
    finally:
        draft.unlink()
    raise CoscopeError(
        "another scan is writing into this corpus",
        file=str(path.parent),
        found=f"process {_owner(path)}",
        hint=f"Wait for it, or remove {path} if it is not running.",
    )


def _owner(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _alive(process: int) -> bool:
    if os.name == "nt":  # signal 0 would end it there
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def parts_in(folder: Path) -> Iterator[tuple[str, str]]:
    """Partition and name of each part that is stored whole."""
    for place in sorted((folder / "files").glob(f"{PARTITION}=*")):
        for file in sorted(place.glob("[!.]*.parquet")):
            yield place.name.partition("=")[2], file.stem
