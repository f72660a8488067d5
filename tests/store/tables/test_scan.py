"""Row scanning in C beside its Python twins: restrictions, sort keys, property rows; and under sanitizers."""

import random
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.formats import bags
from appliance.mapi import restrictions as r
from appliance.mapi import tags
from appliance.mapi import types as t
from appliance.mapi.matching import Object, compiled
from appliance.mapi.rows import column_type, write_row
from appliance.mapi.sorts import Direction
from appliance.mapi.values import rop_form
from appliance.store.contents import Row, packed
from appliance.store.keys import contents_key
from appliance.store.tables import scan, sortkeys
from appliance.store.tables._native import Leaves
from appliance.store.tables.reading import cell_of
from appliance.store.tables.scan import Ask, Batch, Slots
from appliance.store.tables.sources import MessageRecord
from appliance.wire.cursor import Writer
from appliance.wire.errors import DecodeError
from tests.fuzz.seeds import built
from tests.mapi import strategies as s
from tests.sanitized import fuzz_driver

MAILBOX, MID = 3, (1 << 48) + 77
BAG_TAGS = [0x0037001F, tags.PidTagFlagStatus, tags.PidTagIconIndex, tags.PidTagLastVerbExecuted,
            0x30070040, 0x80010003, 0x80020005, 0x8003000B, 0x80041003, 0x8005101F, 0x80060102,
            0x80070048, 0x80081102, 0x80090014, 0x800A0002, 0x800B1005]  # fmt: skip
HOT_TAGS = [tags.PidTagMid, tags.PidTagFolderId, tags.PidTagMessageFlags, tags.PidTagRead,
            tags.PidTagMessageSize, tags.PidTagMessageDeliveryTime, tags.PidTagLastModificationTime,
            tags.PidTagChangeNumber, tags.PidTagHasAttachments, tags.PidTagImportance, tags.PidTagAssociated,
            tags.PidTagMessageClass, tags.PidTagDeletedOn, tags.PidTagMessageStatus, tags.PidTagInstanceKey,
            tags.PidTagFlagStatus, tags.PidTagFollowupIcon, tags.PidTagLastVerbExecuted,
            tags.PidTagIconIndex]  # fmt: skip
TAGS = BAG_TAGS + HOT_TAGS
_tags = st.sampled_from(TAGS)
_texts = st.text(st.sampled_from("aAbB\0é\U0001f600ß"), max_size=6)


def _values(tag: int) -> st.SearchStrategy[Any]:
    kind = t.element_type(tag & 0xFFFF)
    one = (
        _texts
        if kind == t.PtypString
        else st.booleans()
        if kind == t.PtypBoolean
        else st.one_of(st.sampled_from([0, 1]), s.VALUES[kind])
        if kind in (t.PtypInteger32, t.PtypInteger64)
        else s.VALUES[kind]
    )
    return st.lists(one, max_size=3).map(tuple) if tag & t.MULTIPLE_FLAG else one


class FakeTxn:
    """Holds one cold value, whatever is asked for."""

    def __init__(self, cold: bytes) -> None:
        self.cold = cold

    def get(self, key: bytes) -> bytes | None:
        return self.cold


@st.composite
def stored_rows(draw: st.DrawFn) -> tuple[Row, bytes]:
    """A hot row and a cold value."""
    number = st.integers(0, 2**63)
    row = Row(
        fid=draw(st.integers(1, 2**62)), mid=MID, associated=draw(st.booleans()),
        flags=draw(st.integers(0, 2**24 - 1)), uid=1, size=draw(st.integers(0, 2**32 - 1)), prefix=3,
        message_class=draw(st.sampled_from([0, 1, 13])), importance=draw(st.integers(0, 2)), origin=0,
        cn=draw(number), read_cn=1, mod=2, blob=3, received=draw(number), modified=draw(number), saved=4,
        email_id=5, thread_id=6, keywords=draw(st.sampled_from([(), ("a", "b")])),
    )  # fmt: skip
    bag = {tag: draw(_values(tag)) for tag in draw(st.lists(st.sampled_from(BAG_TAGS), unique=True))}
    return row, struct.pack("<BH", 1, 3) + b"xyz" + bags.pack(bag)


def batch_of(row: Row, cold: bytes) -> Batch:
    return Batch([MID], [contents_key(MAILBOX, row.fid, row.associated, MID)], [packed(row)], [cold])


def record_of(row: Row, cold: bytes) -> MessageRecord:
    return MessageRecord(FakeTxn(cold), MAILBOX, row)  # type: ignore[arg-type]


@st.composite
def leaves_of_trees(draw: st.DrawFn) -> r.Restriction:
    tag = draw(_tags)
    other = draw(st.one_of(st.just(tag), _tags))  # a value of another type now and then
    value = draw(_values(other & ~t.MULTIPLE_FLAG))
    relation = draw(st.sampled_from(r.RelOp))
    kind = draw(st.integers(0, 5))
    if kind == 0:
        flags = r.FuzzyFlags(draw(st.integers(0, 7)))
        return r.Content(draw(st.integers(0, 3)), flags, tag, other, value)
    if kind == 1:
        return r.CompareProperties(relation, tag, other)
    if kind == 2:
        return r.BitMask(draw(st.booleans()), tag, draw(st.integers(0, 2**32 - 1)))
    if kind == 3:
        return r.Size(relation, tag, draw(st.integers(0, 20)))
    if kind == 4:
        return r.Exist(tag)
    return r.Property(relation, tag, other, value)


def _branches(parts: st.SearchStrategy[r.Restriction]) -> st.SearchStrategy[r.Restriction]:
    several = st.lists(parts, max_size=3).map(tuple)
    return st.one_of(
        several.map(r.And),
        several.map(r.Or),
        parts.map(r.Not),
        st.builds(r.Comment, st.just(()), st.none() | parts),
        st.builds(r.Count, st.just(3), parts),
        st.builds(r.SubObject, st.just(0x0E12000D), parts),
    )


restrictions: st.SearchStrategy[r.Restriction] = st.recursive(leaves_of_trees(), _branches, max_leaves=5)
_MANY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@_MANY
@given(stored_rows(), restrictions)
def test_restrictions_mean_what_the_evaluator_says(stored: tuple[Row, bytes], wanted: r.Restriction) -> None:
    slots = Slots()
    verdict = scan.select(batch_of(*stored), slots, scan.program(wanted, slots))[0]
    if verdict != scan.ASK:
        record = record_of(*stored)
        truth = compiled(wanted)(Object(record.get))
        assert truth == (verdict == scan.YES)


@_MANY
@given(stored_rows(), leaves_of_trees())
def test_the_c_asks_only_for_a_reason(stored: tuple[Row, bytes], wanted: r.Restriction) -> None:
    slots = Slots()
    verdict = scan.select(batch_of(*stored), slots, scan.program(wanted, slots))[0]
    record = record_of(*stored)
    named = [getattr(wanted, name) for name in ("tag", "left", "right") if hasattr(wanted, name)]
    plain = all(not tag & t.MULTIPLE_FLAG and (value := record.get(tag)) is not None
                and (not isinstance(value, str) or value.isascii()) for tag in named)  # fmt: skip
    if plain and isinstance(wanted, r.Exist | r.BitMask | r.Size):
        assert verdict != scan.ASK
    if plain and isinstance(wanted, r.Property) and wanted.operator <= r.RelOp.NE:
        assert verdict != scan.ASK or wanted.tag & 0xFFFF != wanted.value_tag & 0xFFFF


@_MANY
@given(stored_rows(), st.lists(st.tuples(_tags, st.booleans()), min_size=1, max_size=3))
def test_sort_keys(stored: tuple[Row, bytes], columns: list[tuple[int, bool]]) -> None:
    slots, levels = Slots(), len(columns) - 1
    order = scan.sort_columns(columns, slots)
    leaves = Leaves(levels)
    batch = batch_of(*stored)
    asked = leaves.scan(slots.packed(), b"", order, batch.keys, batch.hots, batch.colds, False)
    record = record_of(*stored)
    values = [record.get(tag) for tag, _ in columns]
    parts = [
        sortkeys.part(value, Direction.DESCENDING if descending else Direction.ASCENDING)
        for value, (_, descending) in zip(values, columns, strict=True)
    ]
    texts = [v for value in values for v in (value if isinstance(value, tuple) else (value,))]
    if asked:
        assert any(isinstance(text, str) and not text.isascii() for text in texts)
        return
    assert leaves.range(0, 9) == [(b"".join(parts), MID, 0)]
    for level in range(levels):
        assert leaves.prefix(0, level) == b"".join(parts[: level + 1])
    (unread,) = struct.unpack("<I", leaves.groups(0, 0, 1)[1]) if levels else (record.unread,)
    assert unread == record.unread


@_MANY
@given(stored_rows(), st.lists(_tags, min_size=1, max_size=6))
def test_property_rows(stored: tuple[Row, bytes], columns: list[int]) -> None:
    slots = Slots({tags.PidTagRowType: 1})
    numbers = scan.row_columns([*columns, tags.PidTagRowType], slots)
    data, stop, full = scan.pack_rows(batch_of(*stored), slots, numbers)
    record = record_of(*stored)
    writer = Writer()
    cells = [cell_of(record.get(tag)) for tag in columns]
    write_row(writer, [*columns, tags.PidTagRowType], [*cells, 1], rop_form())
    assert (data, stop, full) == (writer.getvalue(), 1, False)
    short = scan.pack_rows(batch_of(*stored), slots, numbers, 0, len(data) - 1)
    assert short == (b"", 0, True)


def test_long_values_are_cut() -> None:
    columns = [0x0037001F, 0x80060102, 0x8005101F]
    bag = {0x0037001F: "\U0001f600\ud800" * 300, 0x80060102: b"x" * 600, 0x8005101F: ("é" * 600, "a\0b")}
    row = Row(1, MID, False, 0, 1, 1, 0, 1, 1, 0, *[0] * 9, ())
    cold = struct.pack("<BH", 1, 0) + bags.pack(bag)
    slots = Slots()
    data, stop, _ = scan.pack_rows(batch_of(row, cold), slots, scan.row_columns(columns, slots))
    writer = Writer()
    write_row(writer, columns, [cell_of(bag[tag]) for tag in columns], rop_form())
    assert stop == 1
    assert data == writer.getvalue()


def test_columns_of_any_type_are_asked_about_or_right() -> None:
    row = Row(1, MID, False, 0, 1, 1, 0, 1, 1, 0, *[0] * 9, ())
    for kind in (t.PtypObject, t.PtypServerId, t.PtypRestriction, t.PtypRuleAction, t.PtypErrorCode):
        tag = 0x8000 << 16 | kind
        value: Any = 5 if kind == t.PtypErrorCode else b"\x01\x00"
        cold = struct.pack("<BH", 1, 0) + bags.pack({tag: value})
        slots = Slots()
        data, stop, _ = scan.pack_rows(batch_of(row, cold), slots, scan.row_columns([tag], slots))
        if stop:
            writer = Writer()
            write_row(writer, [tag], [value], rop_form())
            assert data == writer.getvalue()
            assert column_type(tag) == kind


@_MANY
@given(stored_rows(), st.data())
def test_damaged_rows_are_asked_about(stored: tuple[Row, bytes], data: st.DataObject) -> None:
    row, cold = stored
    changed = bytearray(cold)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(6, len(changed) - 1))] = data.draw(st.integers(0, 255))
    slots = Slots()
    wanted = [r.Exist(tag) for tag in BAG_TAGS]
    record = record_of(row, bytes(changed))
    for one in wanted:
        verdict = scan.select(batch_of(row, bytes(changed)), slots, scan.program(one, slots))[0]
        try:
            truth = record.get(one.tag) is not None
        except DecodeError:
            # the C does not decode text that only has to exist
            assert verdict == scan.ASK or one.tag & 0xFFF == t.PtypString & 0xFFF
            continue
        assert verdict == (scan.YES if truth else scan.NO)


def test_missing_rows_and_compact_rows() -> None:
    row = Row(1, MID, False, 0, 1, 1, 0, 1, 1, 0, *[0] * 9, ())
    slots = Slots()
    program = scan.program(r.Exist(tags.PidTagConversationId), slots)
    batch = batch_of(row, b"")
    assert scan.select(batch, slots, program) == bytes([scan.ASK])
    assert scan.select(Batch(batch.ids, batch.keys, batch.hots, [None]), slots, program) == bytes([scan.NO])
    compact = batch_of(row, struct.pack("<BH", 2, 0) + bags.pack({}))
    assert scan.select(compact, slots, program) == bytes([scan.ASK])
    absent = batch_of(row, struct.pack("<BH", 2, 0) + bags.pack({0x66F11003: (tags.PidTagConversationId,)}))
    assert scan.select(absent, slots, program) == bytes([scan.NO])
    computing = Slots(asked=lambda _tag: Ask.LACKING)
    program = scan.program(r.Exist(0x0037001F), computing)
    plain = batch_of(row, struct.pack("<BH", 1, 0) + bags.pack({}))
    assert scan.select(plain, computing, program) == bytes([scan.ASK])


@pytest.mark.parametrize(
    ("ask", "row", "expected"),
    [
        (Ask.TYPED, {"message_class": 1}, scan.NO),
        (Ask.TYPED, {"message_class": 2}, scan.ASK),
        (Ask.KEYWORDS, {}, scan.NO),
        (Ask.KEYWORDS, {"keywords": ("a",)}, scan.ASK),
    ],
)
def test_when_a_higher_layer_is_asked(ask: Ask, row: dict[str, Any], expected: int) -> None:
    plain = Row(1, MID, False, 0, 1, 1, 0, 1, 1, 0, *[0] * 9, ())._replace(**row)
    slots = Slots(asked=lambda _tag: ask)
    program = scan.program(r.Exist(0x0037001F), slots)
    batch = batch_of(plain, struct.pack("<BH", 1, 0) + bags.pack({}))
    assert scan.select(batch, slots, program) == bytes([expected])
    has = batch_of(plain, struct.pack("<BH", 1, 0) + bags.pack({0x0037001F: "x"}))
    assert scan.select(has, slots, program) == bytes([scan.YES])


@pytest.mark.parametrize(("message_class", "expected"), [(1, scan.YES), (2, scan.ASK)])
def test_an_icon_that_says_nothing_is_asked_about(message_class: int, expected: int) -> None:
    row = Row(1, MID, False, 0, 1, 1, 0, 1, 1, 0, *[0] * 9, ())._replace(message_class=message_class)
    slots = Slots(asked=lambda _tag: Ask.TYPED)
    program = scan.program(r.Exist(tags.PidTagIconIndex), slots)
    for bag in ({tags.PidTagIconIndex: -1}, {}):
        assert scan.select(batch_of(row, struct.pack("<BH", 2, 0) + bags.pack(bag)), slots, program) == bytes(
            [expected]
        )


@pytest.mark.parametrize(("flags", "status"), [(0, None), (4, 2), (0x10000, 1), (0x10004, 1)])
def test_flags_are_those_of_the_row(flags: int, status: int | None) -> None:
    row = Row(1, MID, False, 0, 1, 1, 0, 1, 1, 0, *[0] * 9, ())._replace(flags=flags)
    cold = struct.pack("<BH", 1, 0) + bags.pack({tags.PidTagFlagStatus: 2})
    assert record_of(row, cold).get(tags.PidTagFlagStatus) == status
    slots = Slots()
    program = scan.program(r.Exist(tags.PidTagFlagStatus), slots)
    assert scan.select(batch_of(row, cold), slots, program) == bytes(
        [scan.NO if status is None else scan.YES]
    )


IMPLIED = [tags.PidTagSubject, tags.PidTagSenderName, tags.PidTagSenderEmailAddress,
           tags.PidTagDisplayCc, tags.PidTagSensitivity, tags.PidTagNormalizedSubject,
           tags.PidTagIconIndex, 0x80010003]  # fmt: skip
STORED = [tags.PidTagSubject, tags.PidTagSentRepresentingName, tags.PidTagSenderName,
          tags.PidTagSentRepresentingEmailAddress, tags.PidTagSensitivity, 0x80010003]  # fmt: skip


@_MANY
@given(st.lists(st.sampled_from(STORED), unique=True), st.lists(st.sampled_from(IMPLIED), unique=True))
def test_what_compact_bags_leave_out(stored: list[int], marked: list[int]) -> None:
    row = Row(1, MID, False, 0, 1, 1, 0, 1, 1, 0, *[0] * 9, ())
    bag: dict[int, Any] = {tag: 5 if tag & 0xFFFF == t.PtypInteger32 else f"v{tag}" for tag in stored}
    if marked:
        bag[0x66F11003] = tuple(sorted(set(marked) - set(stored)))
    cold = struct.pack("<BH", 2, 0) + bags.pack(bag)
    record = record_of(row, cold)
    for tag in IMPLIED:
        slots = Slots()
        data, stop, _ = scan.pack_rows(batch_of(row, cold), slots, scan.row_columns([tag], slots))
        writer = Writer()
        write_row(writer, [tag], [cell_of(record.get(tag))], rop_form())
        if stop:
            assert data == writer.getvalue()
        else:
            raise AssertionError(f"asked about {tag:#x}")


SUBJECTS = ["", "x", "RE: x", "Re: ", "Re: \n", "Aw: Re: y", "A1: z", "Antw: w", "ä: x", "Äx: y", "a:b",
            ": x", "AB:  c", "Ré: x: y", "日本語: x", "日本語の: x", "r\u00e9", "WG: \U0001f600"]  # fmt: skip


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("prefix", [None, "", "R", "Re: ", "RE: x and more", "é"])
def test_what_the_subject_says(subject: str, prefix: str | None) -> None:
    row = Row(1, MID, False, 0, 1, 1, 0, 1, 1, 0, *[0] * 9, ())
    bag: dict[int, Any] = {tags.PidTagSubject: subject}
    if prefix is not None:
        bag[tags.PidTagSubjectPrefix] = prefix
    for marked in ((), (tags.PidTagSubjectPrefix,), (tags.PidTagNormalizedSubject,)):
        given = bag | ({0x66F11003: marked} if marked else {})
        if prefix is not None and tags.PidTagSubjectPrefix in marked:
            continue
        cold = struct.pack("<BH", 2, 0) + bags.pack(given)
        for tag in (tags.PidTagSubjectPrefix, tags.PidTagNormalizedSubject, tags.PidTagConversationTopic):
            slots, writer = Slots(), Writer()
            data, stop, _ = scan.pack_rows(batch_of(row, cold), slots, scan.row_columns([tag], slots))
            write_row(writer, [tag], [cell_of(record_of(row, cold).get(tag))], rop_form())
            assert not stop or data == writer.getvalue(), tag
            assert stop or not (subject + (prefix or "")).isascii()


def test_what_is_no_program_is_refused() -> None:
    slots = Slots()
    slots.number(tags.PidTagMid)
    for program in (b"\x06\0\1", b"\xff", b"\0\1\0", b"\x02", b"\x03\x03", b"\x02" * 500 + b"\x03"):
        with pytest.raises(ValueError):
            scan.select(Batch([], [], [], []), slots, program)
    for columns in (b"\1\0", b"\0"):
        with pytest.raises(ValueError):
            scan.pack_rows(Batch([], [], [], []), slots, columns)


def test_leaves_are_a_sorted_list() -> None:
    chance = random.Random(5)
    leaves, truth = Leaves(1), []
    for number in range(3000):
        key = chance.randbytes(chance.randrange(12))
        entry = (key, chance.randrange(500) + (1 << 63), number)
        leaves.add(key, [len(key) // 2], entry[1], number, bool(number & 1))
        truth.append(entry)
    leaves.sort()
    truth.sort()
    assert leaves.range(0, len(leaves)) == truth
    for number in range(600):
        gone = {chance.randrange(500) + (1 << 63) for _ in range(chance.randrange(3))}
        leaves.forget(gone)
        truth = [entry for entry in truth if entry[1] not in gone]
        entry = (chance.randbytes(3), chance.randrange(500) + (1 << 63), number)
        leaves.insert(entry[0], [1], entry[1], number, False)
        truth.append(entry)
    truth.sort()
    assert leaves.range(0, len(leaves)) == truth
    for at in range(0, len(truth), 7):
        assert leaves.position(*truth[at]) == at
        assert leaves.find(*truth[at][1:]) == at
        assert leaves.position(truth[at][0], -1, 0) == next(
            i for i, entry in enumerate(truth) if entry[0] == truth[at][0]
        )


@pytest.mark.slow
def test_fuzz_under_sanitizers(tmp_path: Path) -> None:
    def encode(value: tuple[tuple[Row, bytes], r.Restriction]) -> bytes:
        slots = Slots({tags.PidTagRowType: 1})
        program = scan.program(value[1], slots)
        for tag in (*TAGS, tags.PidTagRowType):
            slots.number(tag)
        batch = batch_of(*value[0])
        spans = [slots.packed(), program, batch.keys[0], batch.hots[0], batch.colds[0] or b""]
        return b"".join(struct.pack("<H", len(span)) + span for span in spans)

    seeds = built(st.tuples(stored_rows(), restrictions), encode)()
    rows = ["fuzz.c", "values.c", "keys.c", "match.c", "rows.c", "leaves.c"]
    fuzz_driver(tmp_path, [*(f"rows/{name}" for name in rows), "bags/bags.c"], seeds, 60)
