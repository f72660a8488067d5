"""Messages of the store as searches, sorts and threads read them.

A message with MIME is read from what was rendered at its arrival (ENVELOPE, structure) and from its bytes;
one without from its properties. Each piece is read at most once for each message and snapshot, and only when
a criterion asks for it. Damage in one message makes that message empty, it does not end the search.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta
from functools import cached_property

from appliance.formats import bags, lzfu, rtf
from appliance.formats.mime import Scan
from appliance.formats.mime.dates import parse_date
from appliance.formats.mime.headers import fields_of
from appliance.formats.mime.words import decode_words
from appliance.formats.structures import Piece
from appliance.mailbox.search import texts
from appliance.mailbox.search.criteria import AddressField
from appliance.mailbox.search.envelope import Envelope, Person, parse, parse_head
from appliance.mailbox.search.facts import AddressName, Facts, Judge
from appliance.mailbox.search.glimpse import MAX_RAW, glimpse
from appliance.mailbox.search.judge import StoredJudge
from appliance.mapi import tags, times
from appliance.mapi.types import Value
from appliance.store import blobs, messages
from appliance.store.contents import Row
from appliance.store.errors import StoreError
from appliance.store.kv import ReadTxn
from appliance.store.messages import PART_RECIPIENT
from appliance.wire.errors import DecodeError

_HEADER_TYPES = {1: "to", 2: "cc", 3: "bcc"}  # MS-OXOMSG 2.2.3.1: PidTagRecipientType
_EMPTY = Envelope(None, None, (), (), (), (), (), (), None, None)


class StoredMessages:
    """Opens stored messages."""

    def judge(self, txn: ReadTxn, mailbox: int, mids: list[int], rows: list[bytes]) -> Judge:
        """As `Source`."""
        return StoredJudge(txn, mailbox, mids, rows)

    def open(self, txn: ReadTxn, mailbox: int, row: Row) -> Facts:
        """The facts of a message in this snapshot."""
        return MimeFacts(txn, mailbox, row) if row.blob else ObjectFacts(txn, mailbox, row)

    def open_many(self, txn: ReadTxn, mailbox: int, rows: Sequence[Row]) -> list[Facts]:
        """The same for many messages: their structures are read in one pass."""
        stored = blobs.structures(txn, [row.blob for row in rows])
        return [
            MimeFacts(txn, mailbox, row, structure) if row.blob else ObjectFacts(txn, mailbox, row)
            for row, structure in zip(rows, stored, strict=True)
        ]


class MimeFacts:
    """A message with MIME."""

    def __init__(self, txn: ReadTxn, mailbox: int, row: Row, structure: bytes | None = None) -> None:
        self._txn, self._mailbox, self.row = txn, mailbox, row
        self._stored = structure

    def _piece(self, piece: Piece) -> bytes | None:
        """What was rendered at the message's arrival; None when there is nothing."""
        if self._stored is None:
            (self._stored,) = blobs.structures(self._txn, [self.row.blob])
        try:
            return blobs.piece_of(self._stored, piece) if self._stored is not None else None
        except StoreError:
            return None

    @cached_property
    def _envelope(self) -> Envelope:
        try:
            return parse(self._piece(Piece.ENVELOPE) or b"")
        except ValueError:
            return _EMPTY

    @cached_property
    def _head(self) -> tuple[bytes | None, bytes | None]:
        """Date and subject as they stand in the header."""
        try:
            return parse_head(self._piece(Piece.ENVELOPE) or b"")
        except ValueError:
            return None, None

    @cached_property
    def _scan(self) -> Scan | None:
        try:
            return Scan.unpack(self._piece(Piece.SCAN) or b"")
        except ValueError:
            return None

    @cached_property
    def _prefix(self) -> bytes:
        """The trace fields that stand before the stored bytes."""
        return messages.load(self._txn, self._mailbox, self.row.mid).prefix if self.row.prefix else b""

    @cached_property
    def _header(self) -> bytes:
        """The header block, trace fields included."""
        prefix = b""
        try:
            prefix = self._prefix
            end = self._scan.parts[0].body_start if self._scan is not None else texts.MAX_HEADER
            return prefix + self._read(0, min(end, texts.MAX_HEADER))
        except (StoreError, ValueError):
            return prefix

    def _read(self, offset: int, length: int) -> bytes:
        return blobs.read(self._txn, self.row.blob, offset, length)

    def subject(self) -> str:
        """As `Facts`."""
        # asked for once for each message of a long search: not worth keeping
        try:
            return decode_words(parse_head(self._piece(Piece.ENVELOPE) or b"")[1] or b"")
        except ValueError:
            return ""

    def _people(self, field: AddressName) -> tuple[Person, ...]:
        envelope = self._envelope
        return {"from": envelope.from_, "to": envelope.to, "cc": envelope.cc, "bcc": envelope.bcc}[field]

    def addresses(self, field: AddressField) -> str:
        """As `Facts`."""
        return ", ".join(filter(None, map(_shown, self._people(field.value))))

    def fields(self, name: str) -> list[str]:
        """As `Facts`."""
        wanted = name.encode("utf-8", "replace").lower()
        return [decode_words(field.body) for field in fields_of(self._header) if field.is_named(wanted)]

    def header(self) -> Iterator[str]:
        """As `Facts`."""
        return texts.header_text(self._header)

    def body(self) -> Iterator[str]:
        """As `Facts`."""
        if self._scan is None:
            return iter(())
        try:
            yielded = texts.body_text(self._scan, self._read)
            return _until_damage(yielded)
        except ValueError:
            return iter(())

    def glimpse(self, key: bytes, *, header: bool) -> bool | None:
        """As `Facts`."""
        row = self.row
        if self._scan is None or row.size > MAX_RAW:
            return None
        try:
            raw = self._read(0, row.size - row.prefix)
            return glimpse(key, self._prefix if header else b"", raw, self._scan, header=header)
        except (StoreError, ValueError):
            return None

    def first_mailbox(self, field: AddressName) -> str:
        """As `Facts`."""
        people = self._people(field)
        return _raw(people[0].mailbox) if people else ""

    def first_display(self, field: AddressName) -> str:
        """RFC 5957 3."""
        people = self._people(field)
        if not people:
            return ""
        name = decode_words(people[0].name) if people[0].name else ""
        if name:
            return name
        mailbox, host = _raw(people[0].mailbox), people[0].host
        return f"{mailbox}@{_raw(host)}" if mailbox and host else mailbox

    def thread_fields(self) -> tuple[str, str, str]:
        """As `Facts`."""
        references = [field.body for field in fields_of(self._header) if field.is_named(b"references")]
        envelope = self._envelope
        return _raw(envelope.message_id), _raw(envelope.in_reply_to), _raw(b" ".join(references))

    @cached_property
    def _date(self) -> tuple[int, int] | None:
        return parse_date(self._head[0]) if self._head[0] else None

    def sent(self) -> int | None:
        """As `Facts`."""
        return self._date[0] if self._date is not None else None

    def sent_day(self) -> date | None:
        """As `Facts`."""
        if self._date is None:
            return None
        return _day(self._date[0], self._date[1])


class ObjectFacts:
    """A message without MIME: its properties tell."""

    def __init__(self, txn: ReadTxn, mailbox: int, row: Row) -> None:
        self._txn, self._mailbox, self.row = txn, mailbox, row

    @cached_property
    def _bag(self) -> messages.Message:
        try:
            return messages.load(self._txn, self._mailbox, self.row.mid)
        except StoreError:
            return messages.Message(b"", bags.pack({}))

    def _text(self, tag: int) -> str:
        value = self._bag.get(tag)
        return value if isinstance(value, str) else ""

    @cached_property
    def _people(self) -> dict[str, list[tuple[str, str]]]:
        """(name, address) of the sender and the recipients by field."""
        sender = (
            self._text(tags.PidTagSentRepresentingName) or self._text(tags.PidTagSenderName),
            self._text(tags.PidTagSentRepresentingSmtpAddress) or self._text(tags.PidTagSenderSmtpAddress),
        )
        people: dict[str, list[tuple[str, str]]] = {"from": [sender] if any(sender) else []}
        for part in messages.parts(self._txn, self._mailbox, self.row.mid):
            if part.kind != PART_RECIPIENT:
                continue
            kind, name, smtp, other = bags.get_many(
                part.packed,
                (
                    tags.PidTagRecipientType,
                    tags.PidTagDisplayName,
                    tags.PidTagSmtpAddress,
                    tags.PidTagEmailAddress,
                ),
            )
            field = _HEADER_TYPES.get(kind & 0xF) if isinstance(kind, int) else None
            if field:
                people.setdefault(field, []).append((_string(name), _string(smtp) or _string(other)))
        return people

    def subject(self) -> str:
        """As `Facts`."""
        return self._text(tags.PidTagSubject)

    def _addresses(self, field: str) -> str:
        return ", ".join(f"{name} <{address}>" for name, address in self._people.get(field, ()))

    def addresses(self, field: AddressField) -> str:
        """As `Facts`."""
        return self._addresses(field.value)

    def fields(self, name: str) -> list[str]:
        """As `Facts`: of the fields that the message's MIME will have."""
        wanted = name.lower()
        return [value for key, value in self._fields() if key.lower() == wanted]

    def _fields(self) -> Iterator[tuple[str, str]]:
        yield "Subject", self.subject()
        for field in self._people:
            if shown := self._addresses(field):
                yield field.capitalize(), shown
        for name, tag in (
            ("Message-ID", tags.PidTagInternetMessageId),
            ("In-Reply-To", tags.PidTagInReplyToId),
            ("References", tags.PidTagInternetReferences),
        ):
            if value := self._text(tag):
                yield name, value

    def header(self) -> Iterator[str]:
        """As `Facts`."""
        return (f"{name}: {value}\n" for name, value in self._fields())

    def body(self) -> Iterator[str]:
        """As `Facts`."""
        yield self._text(tags.PidTagBody)
        source = self._bag.get(tags.PidTagHtml)
        if isinstance(source, bytes):
            yield texts.html_text(source[: texts.MAX_HTML].decode("utf-8", "replace"))
        elif isinstance(packed := self._bag.get(tags.PidTagRtfCompressed), bytes):
            with suppress(DecodeError):
                yield rtf.to_text(lzfu.decompress(packed))

    def glimpse(self, key: bytes, *, header: bool) -> bool | None:
        """As `Facts`."""
        return None

    def first_mailbox(self, field: AddressName) -> str:
        """As `Facts`."""
        people = self._people.get(field)
        return people[0][1].rpartition("@")[0] if people else ""

    def first_display(self, field: AddressName) -> str:
        """As `Facts`."""
        people = self._people.get(field)
        return people[0][0] or people[0][1] if people else ""

    def thread_fields(self) -> tuple[str, str, str]:
        """As `Facts`."""
        return (
            self._text(tags.PidTagInternetMessageId),
            self._text(tags.PidTagInReplyToId),
            self._text(tags.PidTagInternetReferences),
        )

    def sent(self) -> int | None:
        """As `Facts`."""
        value = self._bag.get(tags.PidTagClientSubmitTime)
        return value if isinstance(value, int) else None

    def sent_day(self) -> date | None:
        """As `Facts`: in UTC, for such a message has no zone."""
        sent = self.sent()
        return _day(sent, 0) if sent is not None else None


def document(facts: Facts) -> Iterator[str]:
    """Every text that a criterion may look at: what the index has to know of a message so that it rules out
    nothing that would be found."""
    yield facts.subject() + "\n"
    for field in AddressField:
        yield facts.addresses(field) + "\n"
    yield from facts.header()
    yield "\n"
    yield from facts.body()


def _shown(person: Person) -> str:
    if person.mailbox is None:
        return ""
    if person.host is None:
        return f"{_raw(person.mailbox)}:"
    address = f"<{_raw(person.mailbox)}@{_raw(person.host)}>"
    return f"{decode_words(person.name)} {address}" if person.name else address


def _raw(value: bytes | None) -> str:
    return value.decode("utf-8", "replace") if value else ""


def _string(value: Value | None) -> str:
    return value if isinstance(value, str) else ""


def _day(sent: int, zone: int) -> date:
    moment = times.to_datetime(sent)
    try:
        return (moment + timedelta(minutes=zone)).date()
    except OverflowError:
        return moment.date()


def _until_damage(pieces: Iterator[str]) -> Iterator[str]:
    try:
        yield from pieces
    except (StoreError, ValueError):
        return
