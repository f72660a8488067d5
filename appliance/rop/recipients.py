"""Recipients on the wire: rows of RopOpenMessage and its like, and what a row says as properties.

A recipient is a bag of properties in the store. The fixed part of a row (MS-OXCDATA 2.8.3) stands for name
and address; every other property is a column (MS-OXCMSG 2.2.3.1.2). A user of this organisation has an
address of type EX and is known to the directory, which then fills in the SMTP address.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, takewhile
from typing import Annotated

from appliance.directory import entries
from appliance.formats import bags
from appliance.formats import recipients as native
from appliance.mailbox.properties.messages import MessageView
from appliance.mapi import codepages, implied, tags
from appliance.mapi import errors as ec
from appliance.mapi import types as t
from appliance.mapi.entryids import AddressBookType, PermanentEntryId
from appliance.mapi.rows import ABSENT, ADDRESS_TYPE_NAMES, AddressType, Cell, PropertyError, RecipientRow
from appliance.mapi.typed_string import TYPED_STRING
from appliance.mapi.types import Bag, ReadableBag, Value, type_of
from appliance.mapi.values import rop_form
from appliance.rop.cells import MISSING
from appliance.rop.properties import bag_tag
from appliance.store.kv import ReadTxn
from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import EncodeError
from appliance.wire.fields import BOOL, U16, U32, CountedBytes, Reserved, SizedArray, UInt8, UInt16
from appliance.wire.record import Record

MAX_ROWS = 0xFF
"""Rows of one response: RowCount is a byte."""

FIXED = frozenset(
    {
        tags.PidTagAddressType,
        tags.PidTagDisplayName,
        tags.PidTagEmailAddress,
        tags.PidTagEntryId,
        tags.PidTagInstanceKey,
        tags.PidTagRecipientType,
        tags.PidTagRowid,
        tags.PidTagSearchKey,
        tags.PidTagSendRichInfo,
        tags.PidTagTransmittableDisplayName,
        tags.PidTagResponsibility,
    }
)
"""Properties that the fixed part of a row stands for (MS-OXCMSG 2.2.3.5.1)."""

_TYPES = {name: kind for kind, name in ADDRESS_TYPE_NAMES.items()}
_TYPES["MAPIPDL"] = AddressType.PERSONAL_DISTRIBUTION_LIST_1
_LISTS = (AddressType.PERSONAL_DISTRIBUTION_LIST_1, AddressType.PERSONAL_DISTRIBUTION_LIST_2)
_MAIL_USER, _LIST = 6, 8  # PidTagObjectType, MS-OXCPRPT 2.2.1.7


HEAD = 16
"""Bytes of a summary without texts, columns and rows, at most."""


class OpenRecipientRow(Record):
    """MS-OXCROPS 2.2.6.1.2.1"""

    recipient_type: UInt8
    code_page: UInt16
    reserved: Annotated[int, Reserved(U16)]
    row: Annotated[bytes, CountedBytes(2)]


class _OpenRow:
    """An OpenRecipientRow: read as a record, written from the bytes that it is made as."""

    def decode(self, reader: Reader) -> OpenRecipientRow:
        """Takes the record."""
        return OpenRecipientRow.decode(reader)

    def encode(self, writer: Writer, value: OpenRecipientRow | bytes) -> None:
        """Writes the row."""
        writer.buf += value if isinstance(value, bytes) else value.pack()


class Summary(Record):
    """What RopOpenMessage, RopOpenEmbeddedMessage and RopReloadCachedInformation tell (2.2.6.1.2)."""

    has_named_properties: Annotated[bool, BOOL]
    subject_prefix: Annotated[str | None, TYPED_STRING]
    normalized_subject: Annotated[str | None, TYPED_STRING]
    recipient_count: UInt16
    column_count: UInt16
    columns: Annotated[tuple[int, ...], SizedArray(U32, lambda response: response.column_count)]
    row_count: UInt8
    rows: Annotated[
        tuple[OpenRecipientRow | bytes, ...],
        SizedArray(_OpenRow(), lambda response: response.row_count),
    ]


def summary(view: MessageView, page: int, room: int) -> Summary:
    """The summary of a message in at most `room` bytes, with as many recipients as fit."""
    packed = view.packed_recipients()
    found, each = _native_rows(packed, page) or own_rows(packed, page)
    made = Summary(
        has_named_properties=view.get(tags.PidTagHasNamedProperties) is True,
        subject_prefix=_text(view.get(tags.PidTagSubjectPrefix)),
        normalized_subject=_text(view.get(tags.PidTagNormalizedSubject)),
        recipient_count=min(len(packed), 0xFFFF),
        column_count=len(found),
        columns=found,
        row_count=0,
        rows=(),
    )
    size = sum(map(len, each))
    texts = len(made.subject_prefix or "") + len(made.normalized_subject or "")
    if HEAD + 4 * len(found) + 4 * texts + size > room or len(each) > MAX_ROWS:
        each = _fitting(each, room - len(made.pack()))
    made.rows, made.row_count = tuple(each), len(each)
    return made


def _fitting(each: list[bytes], room: int) -> list[bytes]:
    """As many rows, from the first on, as there is room for."""
    ends = accumulate(map(len, each))
    return each[: min(MAX_ROWS, sum(1 for _ in takewhile(lambda end: end <= room, ends)))]


def _native_rows(packed: list[bytes], page: int) -> tuple[tuple[int, ...], list[bytes]] | None:
    """Columns and rows from the C, None for what it leaves to `own_rows`."""
    return native.rows(packed, page) if _keeps_ascii(page) else None


def own_rows(packed: list[bytes], page: int) -> tuple[tuple[int, ...], list[bytes]]:
    """The same in Python, for any recipients."""
    recipients = [bags.unpack(each) for each in packed]
    found = columns(recipients)
    rows = [OpenRecipientRow(kind_of(bag), page, 0, pack_row(bag, found, page)) for bag in recipients]
    return found, [row.pack() for row in rows]


@lru_cache(maxsize=256)
def _keeps_ascii(page: int) -> bool:
    """Whether ASCII is itself in a code page."""
    return codepages.encode(_ASCII, page) == _ASCII.encode()


_ASCII = "".join(map(chr, range(1, 0x80)))


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def kind_of(bag: ReadableBag) -> int:
    """PidTagRecipientType with its flags (MS-OXOMSG 2.2.3.1)."""
    kind = bag.get(tags.PidTagRecipientType)
    return kind & 0xFF if isinstance(kind, int) else 1


def columns(recipients: Iterable[ReadableBag]) -> tuple[int, ...]:
    """The properties of recipients that are columns, by tag."""
    return _columns(frozenset[int]().union(*recipients))


@lru_cache(maxsize=256)
def _columns(tags_: frozenset[int]) -> tuple[int, ...]:
    return tuple(sorted(tags_ - FIXED))


def pack_row(bag: ReadableBag, found: Sequence[int], page: int) -> bytes:
    """A RecipientRow. What does not fit into a row of 64 KiB is left out."""
    form = rop_form(page)
    cells: list[Cell] = [bag.get(tag, MISSING) for tag in found]
    row = row_of(bag)
    while True:
        row.cells = cells
        writer = Writer()
        try:
            row.encode(writer, found, form)
            if len(writer.buf) <= 0xFFFF:
                return bytes(writer.buf)
        except EncodeError:
            pass
        if not any(isinstance(cell, str | bytes | tuple) for cell in cells):
            row = RecipientRow(AddressType.NONE)
            cells = [MISSING] * len(found)
            continue
        cells = [
            PropertyError(ec.ecMAPIOOM) if isinstance(cell, str | bytes | tuple) else cell for cell in cells
        ]


def row_of(bag: ReadableBag) -> RecipientRow:
    """The fixed part of a recipient's row."""
    get = bag.get
    kind = _text(get(tags.PidTagAddressType))
    email, name = _text(get(tags.PidTagEmailAddress)), _text(get(tags.PidTagDisplayName))
    sent_as = _text(get(tags.PidTagTransmittableDisplayName))
    row = RecipientRow(
        _TYPES.get(kind.upper(), AddressType.NONE) if kind else AddressType.NONE,
        display_name=name,
        simple_name=_text(get(tags.PidTag7BitDisplayName)),
        non_rich=get(tags.PidTagSendRichInfo) is not True,
        responsible=get(tags.PidTagResponsibility) is True,
    )
    if sent_as is not None and sent_as == name:
        row.same_as_display = True
    else:
        row.transmittable_name = sent_as
    if row.type is AddressType.SMTP:
        row.email = email
    elif row.type is AddressType.X500DN:
        row.x500dn = email or ""
        shown = get(tags.PidTagDisplayType)
        row.display_type = shown if isinstance(shown, int) and 0 <= shown <= 0xFF else 0
    else:
        if row.type in _LISTS:
            row.entry_id = _bytes(get(tags.PidTagEntryId))
            row.search_key = _bytes(get(tags.PidTagSearchKey))
        elif row.type is AddressType.NONE and kind:
            row.address_type = kind
        row.email = email
    return row


def _bytes(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""


# -- from the client --------------------------------------------------------------------------------------


def read_row(data: bytes, found: Sequence[int], page: int) -> RecipientRow:
    """A RecipientRow that fills its bytes. Raises DecodeError."""
    reader = Reader(data)
    row = RecipientRow.decode(reader, found, rop_form(page))
    reader.expect_end("RecipientRow")
    return row


def bag_of(txn: ReadTxn, row: RecipientRow, found: Sequence[int], kind: int, own_dn: str) -> Bag:
    """The properties of a recipient that a client described. `own_dn` is the name whose beginning an X.500
    name may leave out (AddressPrefixUsed)."""
    bag: Bag = {}
    for tag, cell in zip(found, row.cells, strict=False):
        if not isinstance(cell, PropertyError) and cell is not ABSENT and type_of(tag) in _STORED:
            bag[bag_tag(tag)] = cell
    bag[tags.PidTagRecipientType] = kind
    bag[tags.PidTagResponsibility] = row.responsible
    bag[tags.PidTagSendRichInfo] = not row.non_rich
    named = {
        tags.PidTagDisplayName: row.display_name,
        tags.PidTag7BitDisplayName: row.simple_name,
        tags.PidTagTransmittableDisplayName: row.display_name
        if row.same_as_display
        else row.transmittable_name,
        tags.PidTagAddressType: ADDRESS_TYPE_NAMES.get(row.type, row.address_type),
        tags.PidTagEmailAddress: own_dn[: row.prefix_used] + row.x500dn
        if row.type is AddressType.X500DN
        else row.email,
    }
    bag.update({tag: value for tag, value in named.items() if value is not None})
    if row.type in _LISTS:
        bag[tags.PidTagEntryId], bag[tags.PidTagSearchKey] = row.entry_id, row.search_key
    elif row.type is AddressType.X500DN:
        bag[tags.PidTagDisplayType] = row.display_type
    _identify(txn, bag)
    return bag


def _identify(txn: ReadTxn, bag: Bag) -> None:
    """Entry id, search key and SMTP address, as far as the client did not give them."""
    kind, email = bag.get(tags.PidTagAddressType), bag.get(tags.PidTagEmailAddress)
    if not isinstance(kind, str) or not isinstance(email, str):
        return
    name = bag.get(tags.PidTagDisplayName)
    if kind == "EX":
        entry = entries.by_legacy_dn(txn, email)
        shown = AddressBookType.LOCAL_USER
        if entry is not None:
            bag.setdefault(tags.PidTagSmtpAddress, entry.address)
            bag.setdefault(tags.PidTagDisplayName, entry.display_name)
            if entry.is_group:
                shown = AddressBookType.DISTRIBUTION_LIST
        if email.isascii():
            bag.setdefault(tags.PidTagEntryId, PermanentEntryId(email, shown).pack())
    else:
        if kind == "SMTP":
            bag.setdefault(tags.PidTagSmtpAddress, email)
        bag.setdefault(
            tags.PidTagEntryId, implied.one_off(name if isinstance(name, str) else email, kind, email)
        )
    bag.setdefault(tags.PidTagSearchKey, implied.search_key(kind, email))


_STORED = frozenset(
    kind
    for kind in (*range(0x110), *range(0x1000, 0x1110))
    if kind in t.NAMES and kind not in (t.PtypUnspecified, t.PtypNull, t.PtypErrorCode)
)
