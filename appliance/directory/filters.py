"""Filters of dynamic groups: the string form of RFC 4515, over the attributes of entries.

    department=Sales
    (&(kind=user)(|(department=Sales)(title=*manager*))(!(office=Paris)))

Equality, presence (`=*`), substrings (`a*b*`), `&`, `|` and `!`; values compare folded (no case, no
accents); `\\2a` escapes. Parentheses around a lone comparison may be left out. `parse` raises `BadFilter`
with the place, for anything else.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from appliance.directory.model import PERSON_FIELDS, WITH_MAILBOX, Entry
from appliance.directory.sort import fold

MAX_LENGTH = 2048
"""Characters of a filter, at most."""

MAX_DEPTH = 16
"""Parentheses within parentheses, at most."""

Predicate = Callable[[Entry], bool]


class BadFilter(ValueError):
    """The text is no filter."""


def parse(text: str) -> Predicate:
    """What tells whether an entry matches. Raises BadFilter."""
    if len(text) > MAX_LENGTH:
        raise BadFilter(f"a filter has at most {MAX_LENGTH} characters")
    text = text.strip()
    reader = _Reader(text if text.startswith("(") else f"({text})")
    predicate = reader.group(0)
    reader.end()
    return predicate


def matches(filter: str, entry: Entry) -> bool:
    """Whether an entry matches; a filter that is broken matches nobody."""
    predicate = _predicate(filter)
    return predicate is not None and predicate(entry)


@lru_cache(maxsize=256)
def _predicate(filter: str) -> Predicate | None:
    """A filter's predicate, parsed once; None for a broken one."""
    try:
        return parse(filter)
    except BadFilter:
        return None


def attribute(entry: Entry, name: str) -> tuple[str, ...]:
    """The values of an attribute by its name in filters."""
    if name in PERSON_FIELDS:
        value: str = getattr(entry.person, name)
        return (value,) if value else ()
    return _OTHERS[name](entry)


_OTHERS: dict[str, Callable[[Entry], tuple[str, ...]]] = {
    "kind": lambda entry: (entry.kind.name.lower().replace("_", "-"),),
    "name": lambda entry: (entry.display_name,),
    "address": lambda entry: entry.addresses,
    "domain": lambda entry: tuple({address.rpartition("@")[2] for address in entry.addresses}),
    "enabled": lambda entry: ("yes" if entry.enabled else "no",),
    "mailbox": lambda entry: ("yes" if entry.kind in WITH_MAILBOX else "no",),
}
ATTRIBUTES = frozenset(_OTHERS) | frozenset(PERSON_FIELDS)
_COMPARISON = re.compile(r"\s*([A-Za-z][A-Za-z_-]*)\s*=([^()]*)")
_SIGNS = ("&", "|", "!")
_ESCAPE = re.compile(r"\\([0-9A-Fa-f]{2})?")


@dataclass(slots=True)
class _Reader:
    text: str
    at: int = 0

    def group(self, depth: int) -> Predicate:
        if depth > MAX_DEPTH:
            raise BadFilter(f"more than {MAX_DEPTH} parentheses within each other")
        self.expect("(")
        sign = self.peek()
        if sign not in _SIGNS:
            predicate = self.comparison()
        else:
            self.at += 1
            predicate = self.combination(sign, depth)
        self.expect(")")
        return predicate

    def combination(self, sign: str, depth: int) -> Predicate:
        parts = []
        while self.peek() == "(":
            parts.append(self.group(depth + 1))
        if sign == "!":
            if len(parts) != 1:
                raise BadFilter(f"! takes one filter (at character {self.at})")
            return lambda entry: not parts[0](entry)
        if sign == "&":
            return lambda entry: all(part(entry) for part in parts)
        return lambda entry: any(part(entry) for part in parts)

    def comparison(self) -> Predicate:
        found = _COMPARISON.match(self.text, self.at)
        if not found:
            raise BadFilter(f"a comparison like department=Sales is missing at character {self.at}")
        name = found[1].lower().replace("-", "_")
        if name not in ATTRIBUTES:
            raise BadFilter(f"{found[1]} is no attribute; there are: {', '.join(sorted(ATTRIBUTES))}")
        self.at = found.end()
        pieces = [re.escape(fold(_unescape(piece.strip()))) for piece in found[2].split("*")]
        pattern = re.compile(".*".join(pieces), re.DOTALL)
        if pieces == [""]:
            raise BadFilter(f"{found[1]} is compared with nothing")
        return lambda entry: any(pattern.fullmatch(fold(value)) for value in attribute(entry, name))

    def peek(self) -> str:
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1
        return self.text[self.at : self.at + 1]

    def expect(self, char: str) -> None:
        if self.peek() != char:
            raise BadFilter(f"{char} is missing at character {self.at}")
        self.at += 1

    def end(self) -> None:
        if self.peek():
            raise BadFilter(f"something follows the filter at character {self.at}")


def _unescape(text: str) -> str:
    raw = bytearray()
    at = 0
    for found in _ESCAPE.finditer(text):
        if found[1] is None:
            raise BadFilter("a backslash is followed by two hexadecimal digits")
        raw += text[at : found.start()].encode() + bytes([int(found[1], 16)])
        at = found.end()
    raw += text[at:].encode()
    return raw.decode("utf-8", "replace")
