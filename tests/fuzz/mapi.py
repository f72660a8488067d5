"""The parsers of wire and mapi under the fuzzer: what is accepted is also encoded and read again."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from appliance.formats import bags
from appliance.mapi import entryids, restrictions
from appliance.mapi.ids import PredecessorChangeList
from appliance.mapi.idset import IdSet
from appliance.mapi.rows import (
    PROPERTY_NAME,
    PropertyError,
    RecipientRow,
    read_address_list,
    read_row,
    write_address_list,
    write_row,
)
from appliance.mapi.sorts import SortOrderSet
from appliance.mapi.tags import PidTagDisplayName, PidTagEntryId, PidTagImportance
from appliance.mapi.values import Form, address_book_form, extended_form, read_tagged, rop_form, write_tagged
from appliance.wire.cursor import Reader, Writer
from tests.formats.bags.test_bags import property_bags
from tests.fuzz.runner import Target
from tests.fuzz.seeds import built
from tests.mapi import strategies as s
from tests.records import records
from tests.wire.test_record import Everything

COLUMNS = (PidTagDisplayName, PidTagImportance, PidTagEntryId, 0x80000000, 0x8001101F, 0x80021102)
Decode = Callable[[bytes], Any]
Encode = Callable[[Any], bytes]


def stable(decode: Decode, encode: Encode) -> Decode:
    """Runs a parser; what it accepts must encode to something that decodes to the same bytes."""

    def run(data: bytes) -> None:
        value = decode(data)
        again = encode(value)
        assert encode(decode(again)) == again

    return run


def written(write: Callable[[Writer, Any], None]) -> Encode:
    """The bytes that a writing function produces."""

    def encode(value: Any) -> bytes:
        writer = Writer()
        write(writer, value)
        return writer.getvalue()

    return encode


def _target(name: str, values: st.SearchStrategy[Any], decode: Decode, encode: Encode) -> Target:
    return Target(name, stable(decode, encode), built(values, encode))


def _value_target(name: str, form: Form) -> Target:
    encode = written(lambda writer, pair: write_tagged(writer, pair[0], pair[1], form))
    return _target(name, s.tagged(unicode_only=False), lambda data: read_tagged(Reader(data), form), encode)


def _row_target(name: str, form: Form) -> Target:
    encode = written(lambda writer, cells: write_row(writer, COLUMNS, cells, form))
    cells = st.just(["a", 1, b"x", PropertyError(1), ("a", "b"), (b"x",)])
    return _target(name, cells, lambda data: read_row(Reader(data), COLUMNS, form), encode)


def _restriction_target(name: str, form: Form) -> Target:
    return _target(
        name,
        s.restrictions,
        lambda data: restrictions.parse(data, form),
        lambda value: restrictions.pack(value, form),
    )


def _recipient_target() -> Target:
    def decode(data: bytes) -> RecipientRow:
        return RecipientRow.decode(Reader(data), COLUMNS, rop_form())

    encode = written(lambda writer, row: row.encode(writer, COLUMNS, rop_form()))
    rows = st.builds(RecipientRow, email=st.none() | s.texts, display_name=s.texts, cells=st.just(["a", 1]))
    return _target("recipient-row", rows, decode, encode)


def _entry_id(data: bytes) -> None:
    found = entryids.parse(data)
    if found is not None:
        again = found.pack()
        assert again == entryids.parse(again).pack()  # type: ignore[union-attr]


def _predecessors(data: bytes) -> None:
    stable(PredecessorChangeList.parse, PredecessorChangeList.pack)(data)


ENTRY_IDS = st.one_of(
    st.builds(entryids.OneOffEntryId, s.texts, s.texts, s.texts),
    st.builds(entryids.PermanentEntryId, st.just("/o=a/cn=b")),
    st.builds(entryids.EphemeralEntryId, s.guids, st.just(16)),
    st.builds(entryids.ContactEntryId, s.blobs),
    st.builds(
        entryids.StoreEntryId, st.just("s"), st.just("/o=a"), st.just(False), st.none() | st.just("/o=b")
    ),
)

MAPI_TARGETS: tuple[Target, ...] = (
    _target("bags", property_bags(), bags.unpack, bags.pack),
    _target("records", records(Everything), Everything.parse, Everything.pack),
    _value_target("values-rop", rop_form()),
    _value_target("values-extended", extended_form()),
    _value_target("values-address-book", address_book_form()),
    _row_target("rows-rop", rop_form()),
    _row_target("rows-address-book", address_book_form()),
    _recipient_target(),
    _target(
        "address-list",
        st.lists(st.lists(s.tagged(), max_size=4).map(dict), max_size=3),
        lambda data: read_address_list(Reader(data), extended_form()),
        written(lambda writer, entries: write_address_list(writer, entries, extended_form())),
    ),
    _target(
        "property-name",
        st.sampled_from([None]),
        lambda data: PROPERTY_NAME.decode(Reader(data)),
        written(PROPERTY_NAME.encode),
    ),
    _restriction_target("restrictions-rop", rop_form()),
    _restriction_target("restrictions-extended", extended_form()),
    _target(
        "sort-orders",
        s.sort_order_sets(),
        lambda data: SortOrderSet.decode(Reader(data)),
        written(lambda writer, orders: orders.encode(writer)),
    ),
    _target("idset-replid", s.id_sets, lambda data: IdSet.parse(data, by_guid=False), IdSet.pack),
    _target("idset-replguid", s.guid_sets, lambda data: IdSet.parse(data, by_guid=True), IdSet.pack),
    Target(
        "predecessors",
        _predecessors,
        built(st.lists(s.xids, max_size=4).map(PredecessorChangeList), PredecessorChangeList.pack),
    ),
    Target("entry-ids", _entry_id, built(ENTRY_IDS, lambda value: value.pack())),
)
