"""FETCH, compiled: the items of a command become a template and a list of small functions, once.

A plan whose items all can be had by column makes the replies of a batch together; others join pieces.
A reply is a list of octets and `Stream`s.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from appliance.convert.mime.derive import PidTagPreview
from appliance.convert.text import preview
from appliance.protocols.imap import flags, objectids
from appliance.protocols.imap.dates import date_time
from appliance.protocols.imap.fetch_columns import Lines, compile_lines, is_whole
from appliance.protocols.imap.fetch_grammar import BodyItem, Fact, Form, Item
from appliance.protocols.imap.octets import (
    Message,
    Stream,
    binary_size,
    fetch_binary,
    fetch_section,
    form_of,
    stream_length,
)
from appliance.protocols.imap.selected import Selected
from appliance.protocols.imap.wire import string
from appliance.store.contents import Row

if TYPE_CHECKING:
    from appliance.protocols.imap.session import Session

Value = bytes | int
Reply = list[bytes | Stream]
_HOT = frozenset(
    {
        Fact.UID,
        Fact.FLAGS,
        Fact.INTERNALDATE,
        Fact.SIZE,
        Fact.MODSEQ,
        Fact.EMAILID,
        Fact.THREADID,
        Fact.SAVEDATE,
    }
)
_FORMATS = {
    Fact.UID: b"UID %d",
    Fact.FLAGS: b"FLAGS (%s)",
    Fact.INTERNALDATE: b"INTERNALDATE %s",
    Fact.SIZE: b"RFC822.SIZE %d",
    Fact.MODSEQ: b"MODSEQ (%d)",
    Fact.EMAILID: b"EMAILID (%s)",
    Fact.THREADID: b"THREADID %s",
    Fact.SAVEDATE: b"SAVEDATE %s",
}


def _thread(row: Row) -> bytes:
    found = objectids.thread_id(row.thread_id)
    return b"(" + found + b")" if found else b"NIL"  # RFC 8474 5.2


def _flags_of(view: Selected) -> Callable[[Row], bytes]:
    shown = flags.SHOWN
    text = flags.text
    if not view.recent:
        return lambda row: text(row.flags & shown, row.keywords, False)
    return lambda row: text(row.flags & shown, row.keywords, view.is_recent(row.uid))


def _hot(fact: Fact, view: Selected) -> Callable[[Row], Value]:
    readers: dict[Fact, Callable[[Row], Value]] = {
        Fact.UID: attrgetter("uid"),
        Fact.FLAGS: _flags_of(view),
        Fact.INTERNALDATE: lambda row: date_time(row.received),
        Fact.SIZE: attrgetter("size"),
        Fact.MODSEQ: attrgetter("mod"),
        Fact.EMAILID: lambda row: objectids.email_id(row.email_id),
        Fact.THREADID: _thread,
        Fact.SAVEDATE: lambda row: date_time(row.saved),
    }
    return readers[fact]


def _preview(message: Message, utf8: bool) -> bytes:
    if message.scan is not None:
        text = preview(message.scan, lambda start, length: message.read(start, start + length))
    else:
        found = message.cold.get(PidTagPreview)
        text = found if isinstance(found, str) else ""  # RFC 8970 3.2: empty for a message without text
    return b"PREVIEW " + string(text.encode(), utf8=utf8)


def _cold(item: Fact, utf8: bool) -> Callable[[Message], bytes]:
    readers: dict[Fact, Callable[[Message], bytes]] = {
        Fact.ENVELOPE: lambda message: b"ENVELOPE " + message.structure.envelope,
        Fact.BODYSTRUCTURE: lambda message: b"BODYSTRUCTURE " + message.structure.bodystructure,
        Fact.BODY: lambda message: b"BODY " + message.body(),
        Fact.PREVIEW: lambda message: _preview(message, utf8),
        Fact.PREVIEW_LAZY: lambda message: _preview(message, utf8),
    }
    return readers[item]


def _body(item: BodyItem) -> Callable[[Message, Reply], None]:
    label = item.label() + b" "
    section, partial, form = item.section, item.partial, item.form
    if form is Form.BINARY_SIZE:

        def size(message: Message, reply: Reply) -> None:
            reply.append(label + b"%d" % (binary_size(message, section) or 0))

        return size
    read = fetch_binary if form is Form.BINARY else fetch_section

    def octets(message: Message, reply: Reply) -> None:
        found = read(message, section, partial)
        if found is None:
            reply.append(label + b"NIL")
        elif isinstance(found, Stream):
            # what a decoded stream holds is not known yet, so it goes as literal8
            mark = b"~" if found.encoding else b""
            reply.append(label + mark + b"{%d}\r\n" % stream_length(found))
            reply.append(found)
        else:
            reply.append(label + form_of(form, found))

    return octets


def _piece(item: Item, view: Selected, utf8: bool) -> Callable[[Message, Reply], None]:
    if isinstance(item, BodyItem):
        return _body(item)
    if item in _HOT:
        reader, form = _hot(item, view), _FORMATS[item]
        return lambda message, reply: reply.append(form % reader(message.row))
    cold = _cold(item, utf8)
    return lambda message, reply: reply.append(cold(message))


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled FETCH. `cold`: more than the hot row is read. `marks_seen`: it sets \\Seen."""

    cold: bool
    marks_seen: bool
    has_flags: bool
    has_modseq: bool
    whole: bool
    """Octets of whole messages are read."""
    lines: Lines | None
    """The replies of batches, where every item can be had by column."""
    pieces: tuple[Callable[[Message, Reply], None], ...]
    flags_of: Callable[[Row], bytes]

    def reply(self, message: Message, *, seen: bool, modseq: bool) -> Reply:
        """The whole FETCH response of a message. `seen`: this command has just set \\Seen, so that flags
        (and the mod-sequence, if `modseq`) are told even if they were not asked for."""
        reply: Reply = [b"* %d FETCH (" % message.seq]
        first = True
        for piece in self.pieces:
            if not first:
                reply.append(b" ")
            first = False
            piece(message, reply)
        if seen and not self.has_flags:
            reply.append(b" FLAGS (%s)" % self.flags_of(message.row))
        if seen and modseq and not self.has_modseq:
            reply.append(b" MODSEQ (%d)" % message.row.mod)
        reply.append(b")\r\n")
        return reply


def compile_plan(session: "Session", items: tuple[Item, ...], *, uid: bool, modseq: bool) -> Plan:
    """The plan of a FETCH. UID FETCH tells UIDs (RFC 9051 6.4.9), CHANGEDSINCE mod-sequences."""
    view = session.folder
    wanted: list[Item] = list(items)
    if uid and Fact.UID not in wanted:
        wanted.insert(0, Fact.UID)
    if modseq and Fact.MODSEQ not in wanted:
        wanted.append(Fact.MODSEQ)
    hot = [item for item in wanted if isinstance(item, Fact) and item in _HOT]
    marks = any(isinstance(item, BodyItem) and not item.peek for item in wanted)
    return Plan(
        cold=len(hot) < len(wanted),
        marks_seen=marks,
        has_flags=Fact.FLAGS in wanted,
        has_modseq=Fact.MODSEQ in wanted,
        whole=any(is_whole(item) for item in wanted),
        lines=compile_lines(wanted),
        pieces=tuple(_piece(item, view, session.utf8) for item in wanted),
        flags_of=_flags_of(view),
    )
