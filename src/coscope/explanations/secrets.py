"""Secrets: values that are not shown, known by the names under which they are held."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from types import MappingProxyType
from typing import TypeVar

from coscope.explanations.kinds import is_exactly
from coscope.model import Value
from coscope.readers.values import text_of, type_name_of

HIDDEN = "<redacted>"

Found = TypeVar("Found")

# Parts of names, as words: `db_password`, `apiKey`, `AUTH_TOKEN`. "key" alone is no secret.
# fmt: off
_WORDS = frozenset({
    "password", "passwd", "pwd", "passphrase", "passcode", "secret", "secrets", "token", "tokens",
    "credential", "credentials", "apikey", "authorization", "cookie", "cookies", "session",
    "sessionid", "csrf", "jwt", "bearer", "otp", "pin", "cvv", "ssn", "privatekey", "salt", "dsn",
})
_PAIRS = frozenset({
    ("api", "key"), ("private", "key"), ("access", "key"), ("secret", "key"), ("auth", "key"),
    ("encryption", "key"), ("signing", "key"), ("account", "key"), ("shared", "key"),
    ("connection", "string"), ("credit", "card"), ("card", "number"), ("auth", "header"),
})
# fmt: on
_PLAIN_WORDS = MappingProxyType({"pass": True, "auth": True})  # only as a whole name

_SHORTEST = 4  # characters of a secret that is looked for in texts
_MOST = 200  # secrets that are looked for
_DEPTH = 3
_ITEMS = 50  # of a container that are looked at


def is_secret(name: object) -> bool:
    """True if a value of this name is not to be shown.

    >>> [is_secret(name) for name in ("apiKey", "db_password", "monkey", "PASS", "passenger")]
    [True, True, False, True, False]
    """
    if type(name) is not str or len(name) > 200:
        return False
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    words = [word for word in re.split(r"[^a-z0-9]+", spaced) if word]
    if not words:
        return False
    if len(words) == 1 and words[0] in _PLAIN_WORDS:
        return True
    return not _WORDS.isdisjoint(words) or any(pair in _PAIRS for pair in pairwise(words))


class Redaction:
    """Hides secrets in values, and in every text where a secret that was met stands again."""

    def __init__(self) -> None:
        self._met: dict[str, None] = {}

    def value(self, name: str, thing: object) -> Value:
        """The value as shown, its own secrets hidden; all of it if the name says so."""
        if is_secret(name.rpartition(".")[2]):
            self._meet(thing, _DEPTH)
            return Value(type_name_of(thing), HIDDEN, id(thing))
        inside = self._written(thing, _DEPTH)
        return Value(type_name_of(thing), self.text(inside or text_of(thing)), id(thing))

    def notice(self, name: object, thing: object) -> None:
        """Remember a secret, though it is not shown."""
        if is_secret(name):
            self._meet(thing, _DEPTH)

    def text(self, text: str) -> str:
        """A text without the secrets that were met."""
        for secret in self._met:
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return text

    def scrubbed(self, found: Found) -> Found:
        """The same data with no secret in any text. What was met last may stand first in it."""
        if not self._met:
            return found
        clean: object = found
        if type(found) is str:
            clean = self.text(str(found))
        elif isinstance(found, tuple) and type(found) is tuple:
            clean = tuple(map(self.scrubbed, found))
        elif is_dataclass(found) and not isinstance(found, type):
            values = {each.name: getattr(found, each.name) for each in fields(found)}
            changed = {
                name: self.scrubbed(value)
                for name, value in values.items()
                if type(value) is str or type(value) is tuple or is_dataclass(value)
            }
            clean = replace(found, **changed)
        return clean  # type: ignore[return-value]

    def _meet(self, thing: object, depth: int) -> None:
        if type(thing) is str and len(thing) >= _SHORTEST and len(self._met) < _MOST:
            for shown in (thing, repr(thing)[1:-1]):
                self._met[shown] = None
        elif type(thing) is bytes and len(thing) >= _SHORTEST and len(self._met) < _MOST:
            self._met[repr(thing)[2:-1]] = None
        elif type(thing) is int and abs(thing) >= 1000:
            self._met[str(thing)] = None
        elif depth and is_exactly(thing, list, tuple):
            for item in list(thing)[:_ITEMS]:  # type: ignore[call-overload]
                self._meet(item, depth - 1)
        elif depth and type(thing) is dict:
            for item in list(thing.values())[:_ITEMS]:
                self._meet(item, depth - 1)

    def _written(self, thing: object, depth: int) -> str | None:
        """A container that holds a secret under a name, written out without it; else None.

        `text_of` could cut a secret in two, and then nothing would find it.
        """
        if not depth:
            return None
        if type(thing) is dict:
            held: list[tuple[object, object]] = list(thing.items())[:_ITEMS]
        elif type(thing) is list or type(thing) is tuple:
            held = list(enumerate(list(thing)[:_ITEMS]))
        else:
            return None
        texts = [self._item(key, item, depth) for key, item in held]
        if not any(hidden for _, hidden in texts):
            return None
        if type(thing) is dict:
            pairs = zip(held, texts, strict=True)
            items = (f"{text_of(key)}: {text}" for (key, _), (text, _) in pairs)
            return "{" + ", ".join(items) + "}"
        opened, closed = "[]" if type(thing) is list else "()"
        return opened + ", ".join(text for text, _ in texts) + closed

    def _item(self, key: object, item: object, depth: int) -> tuple[str, bool]:
        """An item's text, and whether something is hidden in it."""
        if is_secret(key):
            self._meet(item, _DEPTH)
            return HIDDEN, True
        inside = self._written(item, depth - 1)
        return (text_of(item, 40), False) if inside is None else (inside, True)
