"""A strict reader of IMAP data as it stands in FETCH answers: nested lists of strings, numbers and NIL."""

import re
from typing import TypeAlias

Value: TypeAlias = "int | bytes | list[Value] | None"
_NUMBER = re.compile(rb"\d+")
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\x80-\xff\x00]|\\["\\])*)"')
_LITERAL = re.compile(rb"\{(\d+)\}\r\n")
_ATOM = re.compile(rb'[^(){ %*"\\\]\x00-\x1f\x7f-\xff]+(?:\[[^\]]*\])?')


def read(text: bytes, at: int = 0) -> tuple[Value, int]:
    """One value from a position on, and the position after it. ValueError where the grammar is broken."""
    if text[at : at + 1] == b"(":
        items: list[Value] = []
        at += 1
        while text[at : at + 1] != b")":
            value, at = read(text, at)
            items.append(value)
            if text[at : at + 1] == b" " and text[at + 1 : at + 2] not in (b" ", b")"):
                at += 1
            elif text[at : at + 1] not in (b"(", b")"):
                raise ValueError(f"at {at}: {text[at : at + 20]!r}")
        return items, at + 1
    if match := _QUOTED.match(text, at):
        return re.sub(rb"\\(.)", rb"\1", match[1]), match.end()
    if match := _LITERAL.match(text, at):
        end = match.end() + int(match[1])
        if end > len(text) or b"\0" in text[match.end() : end]:
            raise ValueError(f"literal at {at}")
        return text[match.end() : end], end
    if text[at : at + 3] == b"NIL":
        return None, at + 3
    if match := _NUMBER.match(text, at):
        return int(match[0]), match.end()
    if match := _ATOM.match(text, at):
        return match[0], match.end()
    raise ValueError(f"at {at}: {text[at : at + 20]!r}")


def read_all(text: bytes) -> Value:
    """The one value that is the whole text."""
    value, end = read(text)
    if end != len(text):
        raise ValueError(f"{text[end : end + 20]!r} after the value")
    return value
