"""FETCH items and body sections: grammar, and their labels in replies (RFC 9051 6.4.5, 9)."""

import re
from dataclasses import dataclass
from enum import Enum

from appliance.protocols.imap.errors import Bad
from appliance.protocols.imap.limits import MAX_FETCH_ITEMS, MAX_HEADER_NAMES, MAX_SECTION_DEPTH
from appliance.protocols.imap.sequence import SequenceSet
from appliance.protocols.imap.tokens import MAX_NUMBER64, Cursor
from appliance.protocols.imap.wire import astring

_ITEM = re.compile(rb"[A-Za-z0-9.]+")
_DOT = re.compile(rb"\.")
_SECTION_WORD = re.compile(rb"HEADER\.FIELDS\.NOT|HEADER\.FIELDS|HEADER|TEXT|MIME", re.IGNORECASE)


class Fact(Enum):
    """Items that are one fact about a message."""

    UID = b"UID"
    FLAGS = b"FLAGS"
    INTERNALDATE = b"INTERNALDATE"
    SIZE = b"RFC822.SIZE"
    MODSEQ = b"MODSEQ"
    ENVELOPE = b"ENVELOPE"
    BODY = b"BODY"
    BODYSTRUCTURE = b"BODYSTRUCTURE"
    EMAILID = b"EMAILID"
    THREADID = b"THREADID"
    SAVEDATE = b"SAVEDATE"
    PREVIEW = b"PREVIEW"
    PREVIEW_LAZY = b"PREVIEW (LAZY)"


class Part(Enum):
    """What of a part a section names."""

    WHOLE = b""
    HEADER = b"HEADER"
    HEADER_FIELDS = b"HEADER.FIELDS"
    HEADER_FIELDS_NOT = b"HEADER.FIELDS.NOT"
    TEXT = b"TEXT"
    MIME = b"MIME"


class Form(Enum):
    """How a body item was asked for, which decides the decoding and the label."""

    BODY = b"BODY"
    BINARY = b"BINARY"
    BINARY_SIZE = b"BINARY.SIZE"
    RFC822 = b"RFC822"


@dataclass(frozen=True, slots=True)
class Section:
    """A section: part numbers, and what of that part; `names` for HEADER.FIELDS, as the client wrote them."""

    path: tuple[int, ...] = ()
    part: Part = Part.WHOLE
    names: tuple[bytes, ...] = ()

    def label(self) -> bytes:
        """The text between the brackets."""
        numbers = b".".join(b"%d" % number for number in self.path)
        words = self.part.value
        if self.names:
            words += b" (" + b" ".join(astring(name) for name in self.names) + b")"
        return numbers + b"." + words if numbers and words else numbers or words


@dataclass(frozen=True, slots=True)
class BodyItem:
    """Octets of a message. `partial` is (first octet, most octets)."""

    section: Section
    form: Form = Form.BODY
    peek: bool = False
    partial: tuple[int, int] | None = None
    rfc822: bytes = b""

    def label(self) -> bytes:
        """The item's name in the reply."""
        if self.rfc822:
            return self.rfc822
        label = self.form.value + b"[" + self.section.label() + b"]"
        return label if self.partial is None else label + b"<%d>" % self.partial[0]


Item = Fact | BodyItem


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """A whole FETCH. `changed_since` and `vanished` are the modifiers of RFC 7162."""

    messages: SequenceSet
    items: tuple[Item, ...]
    uid: bool
    changed_since: int | None = None
    vanished: bool = False


_FAST = (Fact.FLAGS, Fact.INTERNALDATE, Fact.SIZE)
_MACROS: dict[bytes, tuple[Item, ...]] = {
    b"FAST": _FAST,
    b"ALL": (*_FAST, Fact.ENVELOPE),
    b"FULL": (*_FAST, Fact.ENVELOPE, Fact.BODY),
}
_FACTS = {fact.value: fact for fact in Fact if fact is not Fact.PREVIEW_LAZY}
_RFC822: dict[bytes, BodyItem] = {
    b"RFC822": BodyItem(Section(), Form.RFC822, rfc822=b"RFC822"),
    b"RFC822.HEADER": BodyItem(Section(part=Part.HEADER), Form.RFC822, True, rfc822=b"RFC822.HEADER"),
    b"RFC822.TEXT": BodyItem(Section(part=Part.TEXT), Form.RFC822, rfc822=b"RFC822.TEXT"),
}


def parse_items(cursor: Cursor) -> tuple[Item, ...]:
    """The items of a FETCH: a macro, one item, or a list of them."""
    if cursor.peek() == b"(":
        found = cursor.items(lambda: _item(cursor), empty=False, limit=MAX_FETCH_ITEMS)
        return tuple(dict.fromkeys(found))
    word = cursor.expect(_ITEM, "a FETCH item")
    macro = _MACROS.get(word.upper())
    return macro if macro else (_named(cursor, word.upper()),)


def _item(cursor: Cursor) -> Item:
    return _named(cursor, cursor.expect(_ITEM, "a FETCH item").upper())


def _named(cursor: Cursor, word: bytes) -> Item:
    if cursor.peek() == b"[":
        return _body(cursor, word)
    if word == b"PREVIEW" and cursor.accept(b" ("):
        # RFC 8970 3.1: the only modifier is LAZY
        cursor.require(b"LAZY")
        cursor.require(b")")
        return Fact.PREVIEW_LAZY
    item = _FACTS.get(word) or _RFC822.get(word)
    if item is None:
        raise Bad("Unknown FETCH item.")
    return item


_BODY_WORDS = {
    b"BODY": (Form.BODY, False),
    b"BODY.PEEK": (Form.BODY, True),
    b"BINARY": (Form.BINARY, False),
    b"BINARY.PEEK": (Form.BINARY, True),
    b"BINARY.SIZE": (Form.BINARY_SIZE, True),
}


def _body(cursor: Cursor, word: bytes) -> BodyItem:
    if word not in _BODY_WORDS:
        raise Bad("Unknown FETCH item.")
    form, peek = _BODY_WORDS[word]
    cursor.require(b"[")
    section = parse_section(cursor, numbers_only=form is not Form.BODY)
    cursor.require(b"]")
    partial = None
    if form is not Form.BINARY_SIZE and cursor.accept(b"<"):
        first = cursor.number(MAX_NUMBER64)
        cursor.require(b".")
        partial = (first, cursor.nz_number(MAX_NUMBER64))
        cursor.require(b">")
    return BodyItem(section, form, peek, partial)


def parse_section(cursor: Cursor, *, numbers_only: bool = False) -> Section:
    """What stands between the brackets. Raises Bad."""
    path: list[int] = []
    while cursor.peek().isdigit():
        path.append(cursor.nz_number())
        if len(path) > MAX_SECTION_DEPTH:
            raise Bad("The section is too deep.")
        if cursor.match(_DOT) is None:
            return Section(tuple(path))
    if not path and cursor.peek() == b"]":
        return Section()
    if numbers_only:
        raise Bad("Only part numbers may stand here.")  # RFC 3516 7: section-binary
    part = Part(cursor.expect(_SECTION_WORD, "a section").upper())
    if part is Part.MIME and not path:
        raise Bad("MIME needs a part number.")
    if part not in (Part.HEADER_FIELDS, Part.HEADER_FIELDS_NOT):
        return Section(tuple(path), part)
    cursor.space()
    names = cursor.items(cursor.astring, empty=False, limit=MAX_HEADER_NAMES)
    return Section(tuple(path), part, tuple(names))


def parse_fetch(cursor: Cursor, *, uid: bool) -> FetchRequest:
    """The arguments of FETCH and UID FETCH."""
    cursor.space()
    messages = cursor.sequence_set()
    cursor.space()
    items = parse_items(cursor)
    changed_since: int | None = None
    vanished = False
    if cursor.accept(b" ("):
        while True:
            word = cursor.word("a FETCH modifier")
            if word == b"CHANGEDSINCE" and changed_since is None:
                cursor.space()
                changed_since = cursor.nz_number(MAX_NUMBER64)
            elif word == b"VANISHED" and not vanished:
                vanished = True
            else:
                raise Bad("Unknown FETCH modifier.")
            if cursor.accept(b")"):
                break
            cursor.space()
    cursor.end()
    if vanished and (not uid or changed_since is None):
        raise Bad("VANISHED needs UID FETCH with CHANGEDSINCE.")  # RFC 7162 3.2.6
    return FetchRequest(messages, items, uid, changed_since, vanished)
