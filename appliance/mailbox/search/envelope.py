"""Reads back the ENVELOPE that was rendered when a message arrived (RFC 9051 7.5.2).

The text is our own (`formats.mime.imap`), so anything else than its grammar is damage: ValueError.
"""

import re
from typing import NamedTuple

_TOKEN = re.compile(rb' *(?:"((?:[^"\\]|\\.)*)"|(NIL)|(\()|(\))|\{(\d+)\}\r\n)', re.DOTALL)
_PLAIN_HEAD = re.compile(rb'\("([^"\\]*)" "([^"\\]*)" ')
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)

Item = bytes | None | list["Item"]


class Person(NamedTuple):
    """An address as the envelope has it; raw header bytes, None for NIL. A group begins with its name as
    mailbox and no host, and ends with neither."""

    name: bytes | None
    route: bytes | None
    mailbox: bytes | None
    host: bytes | None


class Envelope(NamedTuple):
    """The ten members. Texts are raw header bytes, None where the field is missing."""

    date: bytes | None
    subject: bytes | None
    from_: tuple[Person, ...]
    sender: tuple[Person, ...]
    reply_to: tuple[Person, ...]
    to: tuple[Person, ...]
    cc: tuple[Person, ...]
    bcc: tuple[Person, ...]
    in_reply_to: bytes | None
    message_id: bytes | None


def parse(raw: bytes) -> Envelope:
    """A rendered envelope. Raises ValueError."""
    items = _items(raw)
    if len(items) != 10:
        raise ValueError("an envelope has ten members")
    date, subject, from_, sender, reply_to, to, cc, bcc, in_reply_to, message_id = items
    return Envelope(
        _text(date),
        _text(subject),
        _people(from_),
        _people(sender),
        _people(reply_to),
        _people(to),
        _people(cc),
        _people(bcc),
        _text(in_reply_to),
        _text(message_id),
    )


def parse_head(raw: bytes) -> tuple[bytes | None, bytes | None]:
    """Date and subject alone: they stand first, and most searches and sorts need no more. Raises
    ValueError."""
    if plain := _PLAIN_HEAD.match(raw):
        return plain[1], plain[2]
    if not raw.startswith(b"("):
        raise ValueError("an envelope is one list")
    date, at = _string(raw, 1)
    return date, _string(raw, at)[0]


def _string(raw: bytes, at: int) -> tuple[bytes | None, int]:
    match = _TOKEN.match(raw, at)
    if not match or match[3] or match[4]:
        raise ValueError(f"envelope, offset {at}")
    at = match.end()
    if match[2]:
        return None, at
    if match[5] is not None:
        end = at + int(match[5])
        return raw[at:end], end
    return _ESCAPED.sub(rb"\1", match[1]), at


def _items(raw: bytes) -> list[Item]:
    stack: list[list[Item]] = [[]]
    at = 0
    while at < len(raw):
        match = _TOKEN.match(raw, at)
        if not match:
            raise ValueError(f"envelope, offset {at}")
        at = match.end()
        quoted, nil, opened, closed, literal = match.groups()
        if opened:
            stack.append([])
        elif closed:
            done = stack.pop()
            if not stack:
                raise ValueError(f"envelope, offset {at}")
            stack[-1].append(done)
        elif nil:
            stack[-1].append(None)
        elif literal is not None:
            end = at + int(literal)
            stack[-1].append(raw[at:end])
            at = end
        else:
            stack[-1].append(_ESCAPED.sub(rb"\1", quoted) if b"\\" in quoted else quoted)
    if len(stack) != 1 or len(stack[0]) != 1 or not isinstance(stack[0][0], list):
        raise ValueError("an envelope is one list")
    return stack[0][0]


def _text(item: Item) -> bytes | None:
    if isinstance(item, list):
        raise ValueError("a list in place of a string")
    return item


def _people(item: Item) -> tuple[Person, ...]:
    if item is None:
        return ()
    if not isinstance(item, list):
        raise ValueError("a string in place of addresses")
    people: list[Person] = []
    for address in item:
        if not isinstance(address, list) or len(address) != 4:
            raise ValueError("an address has four members")
        people.append(Person._make(_text(member) for member in address))
    return tuple(people)
