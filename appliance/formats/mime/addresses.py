"""Address lists (RFC 5322 3.4 with 4.4, RFC 6532), and what the world writes instead of them.

One pass over the bytes of a field body. Nothing fails: what cannot be an address becomes one with an empty
domain or local part. Names are raw bytes (encoded words not decoded), because ENVELOPE shows them so;
`text` decodes them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from appliance.formats.mime.words import decode_words

MAX_ADDRESSES = 20_000
"""Addresses of one field that are read."""

_SPECIALS = b'()<>@,;:"[]'
_ENCODED_WORD = re.compile(rb"=\?[^?\s]{1,64}\?[bBqQ]\?[^?\r\n\"<>]*\?=")
_ATOM = re.compile(rb'[^ \t\r\n()<>@,;:"\[\]]+')
_SPACE = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address. Empty bytes stand for what is missing."""

    name: bytes
    """Display name, quoting removed, encoded words as written."""
    route: bytes
    """Obsolete source route without the colon, as b"@a,@b" (RFC 5322 4.4)."""
    local: bytes
    """Local part, quoting removed."""
    domain: bytes

    @property
    def text(self) -> str:
        """The display name as text."""
        return decode_words(self.name)

    @property
    def address(self) -> str:
        """local@domain as text, the local part quoted where it must be; only the local part if no domain."""
        local = decode_raw(self.local)
        if self.domain and re.search(r'[\s()<>@,;:\\"\[\]]|^$|^\.|\.\.|\.$', local):
            local = '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{local}@{decode_raw(self.domain)}" if self.domain else local


@dataclass(frozen=True, slots=True)
class Group:
    """A named list of mailboxes (RFC 5322 3.4), which may be empty."""

    name: bytes
    members: tuple[Mailbox, ...]

    @property
    def text(self) -> str:
        return decode_words(self.name)


def decode_raw(value: bytes) -> str:
    """Bytes of an address as text: UTF-8 (RFC 6532), else Latin-1."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _quoted(value: bytes, at: int, close: int) -> tuple[bytes, int]:
    out = bytearray()
    while at < len(value) and value[at] != close:
        if value[at] == 0x5C and at + 1 < len(value):
            at += 1
        if value[at] not in b"\r\n":
            out.append(value[at])
        at += 1
    return bytes(out), at + 1


def _comment(value: bytes, at: int) -> tuple[bytes, int]:
    """The text of a comment, nested ones included, from after its parenthesis on."""
    out, depth = bytearray(), 1
    while at < len(value):
        c = value[at]
        if c == 0x5C and at + 1 < len(value):
            at += 1
            c = value[at]
        elif c == 0x28:
            depth += 1
        elif c == 0x29:
            depth -= 1
            if depth == 0:
                return bytes(out), at + 1
        if c not in b"\r\n":
            out.append(c)
        at += 1
    return bytes(out), at


_WORD, _QUOTED, _LITERAL, _COMMENT, _SPECIAL = range(5)


def _tokens(value: bytes) -> Iterator[tuple[int, bytes, bool]]:
    """(kind, content, white space before it)."""
    at = 0
    space = False
    while at < len(value):
        c = value[at]
        if c in _SPACE:
            at += 1
            space = True
            continue
        if c == 0x22:
            content, at = _quoted(value, at + 1, 0x22)
            yield _QUOTED, content, space
        elif c == 0x28:
            content, at = _comment(value, at + 1)
            yield _COMMENT, content, space
        elif c == 0x5B:
            content, at = _quoted(value, at + 1, 0x5D)
            yield _LITERAL, b"[" + content + b"]", space
        elif c in _SPECIALS:
            at += 1
            yield _SPECIAL, bytes((c,)), space
        else:
            match = _ENCODED_WORD.match(value, at) or _ATOM.match(value, at)
            assert match is not None  # c is no special and no space
            at = match.end()
            yield _WORD, match[0], space
        space = False


class _Reader:
    """Collects the words of one address until a special ends it."""

    def __init__(self) -> None:
        self.found: list[Mailbox | Group] = []
        self.group: bytes | None = None
        self.members: list[Mailbox] = []
        self.reset()

    def reset(self) -> None:
        self.words: list[tuple[int, bytes, bool]] = []
        self.comment = b""
        self.name: bytes | None = None  # set by "<"
        self.done: Mailbox | None = None  # set by ">"

    def phrase(self) -> bytes:
        """The collected words as a display name."""
        out, last = b"", _WORD
        for kind, content, space in self.words:
            if out and (space or _QUOTED in (kind, last)):
                out += b" "
            out += content
            last = kind
        return out

    def spec(self) -> Mailbox:
        """The collected words as [@route:]local@domain."""
        words, route = self.words, b""
        colons = [i for i, w in enumerate(words) if w[:2] == (_SPECIAL, b":")]
        if colons and words[0][:2] == (_SPECIAL, b"@"):
            route = b"".join(w[1] for w in words[: colons[0]])
            words = words[colons[0] + 1 :]
        ats = [i for i, w in enumerate(words) if w[:2] == (_SPECIAL, b"@")]
        if not ats:
            return Mailbox(b"", route, _glue(words), b"")
        return Mailbox(b"", route, _glue(words[: ats[-1]]), b"".join(w[1] for w in words[ats[-1] + 1 :]))

    def has_at(self) -> bool:
        return any(w[:2] == (_SPECIAL, b"@") for w in self.words)

    def flush(self) -> None:
        """An address ends here."""
        if self.done is None and self.name is None and not self.words:
            self.reset()
            return
        if self.done is not None:
            mailbox = self.done
        else:
            spec = self.spec()
            name = self.name if self.name is not None else self.comment
            mailbox = Mailbox(name, spec.route, spec.local, spec.domain)
        if self.group is None:
            self.found.append(mailbox)
        else:
            self.members.append(mailbox)
        self.reset()

    def end_group(self) -> None:
        self.flush()
        if self.group is not None:
            self.found.append(Group(self.group, tuple(self.members)))
            self.group, self.members = None, []

    def special(self, mark: bytes, space: bool) -> None:
        inside = self.name is not None and self.done is None
        if mark == b"<" and not inside:
            name = self.phrase()
            if self.done is not None:  # a second <...> without a comma
                self.flush()
            self.name, self.words = name, []
        elif mark == b">" and inside:
            spec = self.spec()
            self.done = Mailbox(self.name or self.comment, spec.route, spec.local, spec.domain)
            self.words = []
        elif mark == b"," and inside and self.words and self.words[0][:2] == (_SPECIAL, b"@"):
            self.words.append((_SPECIAL, mark, space))  # within a route
        elif mark == b",":
            self.flush()
        elif mark == b";":
            self.end_group()
        elif mark == b":" and not inside and self.group is None and self.done is None and not self.has_at():
            self.group = self.phrase()
            self.reset()
        elif mark in b"@:":
            self.words.append((_SPECIAL, mark, space))


def _glue(words: list[tuple[int, bytes, bool]]) -> bytes:
    """A local part of words: dots join, other words are kept apart by a space."""
    out = b""
    for _, content, space in words:
        if space and out and not out.endswith(b".") and not content.startswith(b"."):
            out += b" "
        out += content
    return out


def parse_addresses(value: bytes) -> list[Mailbox | Group]:
    """The addresses and groups of a field body (bytes after the colon, folded or not), in order."""
    reader = _Reader()
    for kind, content, space in _tokens(value):
        if kind == _COMMENT:
            if reader.done is not None and not reader.done.name:
                done = reader.done
                reader.done = Mailbox(content, done.route, done.local, done.domain)
            reader.comment = reader.comment or content
        elif kind == _SPECIAL:
            reader.special(content, space)
            if len(reader.found) + len(reader.members) >= MAX_ADDRESSES:
                break
        else:
            reader.words.append((kind, content, space))
    reader.end_group()
    return reader.found


def mailboxes(value: bytes) -> list[Mailbox]:
    """All mailboxes of a field body, those of groups included."""
    out: list[Mailbox] = []
    for item in parse_addresses(value):
        out.extend(item.members if isinstance(item, Group) else (item,))
    return out
