"""Tables straight from kept orders, property rows of tables, search folders: the same as by arrays."""

import random
from typing import Any

import pytest

from appliance.formats import bags
from appliance.mapi import errors as ec
from appliance.mapi import restrictions as r
from appliance.mapi import tags
from appliance.mapi.ids import to_int64
from appliance.mapi.rows import write_row
from appliance.mapi.sorts import Direction, SortOrder, SortOrderSet
from appliance.mapi.values import address_book_form, extended_form, rop_form
from appliance.store import messages, search_folders, views
from appliance.store.contents import Row
from appliance.store.messages import NewMessage
from appliance.store.search_folders import SearchFlag
from appliance.store.tables import sources
from appliance.store.tables.arrangement import Arrangements
from appliance.store.tables.search import SearchSource
from appliance.store.tables.table import Origin, Table
from appliance.store.tables.visible import Flat, Kept
from appliance.store.views import Builder, Order
from appliance.wire.cursor import Writer
from tests.mailbox.search.fakes import NOW
from tests.store.tables.test_table import Tabled, box, by, error, prop  # noqa: F401
from tests.store.test_search_folders import IMPORTANT, make_search, settle

ORDERS = {
    Order.RECEIVED: tags.PidTagMessageDeliveryTime,
    Order.MODIFIED: tags.PidTagLastModificationTime,
    Order.SUBJECT: tags.PidTagNormalizedSubject,
    Order.SENDER: tags.PidTagSentRepresentingName,
    Order.SIZE: tags.PidTagMessageSize,
}
SHOWN = (tags.PidTagMid, tags.PidTagNormalizedSubject, tags.PidTagMessageSize)


def keep(box: Tabled, order: Order) -> None:  # noqa: F811
    builder = Builder(box.mailbox, box.fid, order, NOW + order)

    def bag(txn: Any, mid: int) -> bytes:
        return messages.load(txn, box.mailbox, mid).packed_bag

    with box.store.read() as txn:
        assert builder.gather(txn, bag)
    for write in builder.writes(bag):
        box.store.write(write).result()


def add(box: Tabled, chance: random.Random, count: int) -> list[Row]:  # noqa: F811
    new = []
    for _ in range(count):
        bag: dict[int, Any] = {
            tags.PidTagNormalizedSubject: chance.choice(["a", "B", "é", "ab\0c", "x" * 200, "Ab", ""]),
            tags.PidTagSentRepresentingName: chance.choice(["Ann", "bob", "Çy"]),
        }
        received = NOW + chance.randrange(50)
        new.append(NewMessage(blob=0, size=chance.randrange(60), bag=bags.pack(bag), received=received))
    rows: list[Row] = box.edit(lambda edit: [messages.insert(edit, box.fid, each) for each in new])
    return rows


def kind_of(box: Tabled, made: Table) -> type:  # noqa: F811
    with box.store.read() as txn, made._opened(txn) as view:
        return type(view)


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("direction", [Direction.ASCENDING, Direction.DESCENDING])
def test_kept_orders_serve_tables(box: Tabled, order: Order, direction: Direction) -> None:  # noqa: F811
    chance = random.Random(int(order))
    rows = add(box, chance, 300)
    made = box.table(*SHOWN)
    made.sort(SortOrderSet((SortOrder(ORDERS[order], direction),)))
    assert made.wanted_order == order
    assert kind_of(box, made) is Flat
    by_array = box.rows(made)
    box(made.seek, Origin.BEGINNING, 117)
    mark = box(made.create_bookmark)
    here = box.rows(made, 1)[0]
    keep(box, order)
    assert kind_of(box, made) is Kept
    # cursor and bookmark hold when the table changes from the array to the kept order
    assert box(made.seek_bookmark, mark, 0) == (0, False)
    assert box.rows(made, 1)[0] == here
    box(made.seek, Origin.BEGINNING, 0)
    by_view = box.rows(made)
    column = SHOWN.index(ORDERS[order]) if ORDERS[order] in SHOWN else None
    assert sorted(by_view) == sorted(by_array)
    if column is not None and order == Order.SIZE:
        assert [row[column] for row in by_view] == [row[column] for row in by_array]
    if direction == Direction.ASCENDING:
        assert by_view == by_array
    for position in (0, 1, 150, 299):
        box(made.seek, Origin.BEGINNING, position)
        assert box(made.query_position) == (position, 300)
        assert box.rows(made, 3) == by_view[position : position + 3]
        box(made.seek, Origin.BEGINNING, position)
        assert box.rows(made, 3, forward=False) == by_view[max(0, position - 3) : position]
    for row in chance.sample(rows, 40):
        box.edit(lambda edit, row=row: messages.soft_delete(edit, row))
    add(box, chance, 30)
    box(made.seek, Origin.BEGINNING, 0)
    assert len(box.rows(made)) == 290
    fresh = Table(sources.ContentsSource(box.mailbox, box.fid), Arrangements())
    fresh.set_columns(SHOWN)
    fresh.sort(SortOrderSet((SortOrder(ORDERS[order], direction),)))
    box.store.write(lambda txn: views.drop(txn, box.mailbox, box.fid)).result()
    assert kind_of(box, made) is Flat
    box(made.seek, Origin.BEGINNING, 0)
    assert box.rows(made) == box.rows(fresh)


@pytest.mark.parametrize("is_kept", [False, True])
@pytest.mark.parametrize("direction", [Direction.ASCENDING, Direction.DESCENDING])
@pytest.mark.parametrize("order", [Order.SIZE, Order.SUBJECT])
def test_finding_by_the_sort_column_is_finding(
    box: Tabled,  # noqa: F811
    order: Order,
    direction: Direction,
    is_kept: bool,
) -> None:
    chance = random.Random(4)
    add(box, chance, 120)
    if is_kept:
        keep(box, order)
    tag = ORDERS[order]
    made = box.table(tags.PidTagMid, tag)
    made.sort(SortOrderSet((SortOrder(tag, direction),)))
    everything = box.rows(made)
    values: list[Any] = (
        ["a", "AB", "é", "x" * 200, "none", ""] if order == Order.SUBJECT else [0, 7, 30, 59, 99]
    )
    for relation in list(r.RelOp)[:6]:
        for value in values:
            wanted = prop(relation, tag, value)
            plain = r.And((wanted,))  # what no bound is known for
            for backwards in (False, True):
                for origin in (Origin.BEGINNING, Origin.END, Origin.CURRENT):
                    found = []
                    for each in (wanted, plain):
                        box(made.seek, Origin.BEGINNING, 60)
                        try:
                            cells = box(made.find_row, each, origin, backwards=backwards).cells
                            found.append((tuple(cells), box(made.query_position)))
                        except Exception as problem:
                            found.append((str(problem), None))
                    assert found[0] == found[1], (relation, value, backwards, origin)
    assert len(everything) == 120


def packed(made: Table, cells: list[Any], columns: tuple[int, ...], form: Any = None) -> bytes:
    writer = Writer()
    for row in cells:
        write_row(writer, columns, list(row), form or rop_form())
    return writer.getvalue()


@pytest.mark.covers("MS-OXCTABL_R462", "MS-OXCTABL_R470")
def test_property_rows_of_a_page(box: Tabled) -> None:  # noqa: F811
    columns = (tags.PidTagMid, tags.PidTagNormalizedSubject, tags.PidTagRowType, tags.PidTagInstanceNum,
               tags.PidTagDepth, tags.PidTagBody)  # fmt: skip
    add(box, random.Random(1), 40)
    made = box.table(*columns)
    made.sort(by(tags.PidTagMessageSize))
    rows = box.rows(made)
    whole = packed(made, rows, columns)

    def page(count: int, limit: int = 1 << 20, **options: Any) -> Any:
        return box(made.pack_rows, count, limit, options.pop("form", rop_form()), **options)

    box(made.seek, Origin.BEGINNING, 0)
    assert page(99) == (whole, 40, Origin.END)
    assert page(99) == (b"", 0, Origin.END)
    assert page(5, forward=False) == (packed(made, rows[35:], columns), 5, Origin.CURRENT)
    assert page(99, forward=False) == (packed(made, rows[:35], columns), 35, Origin.BEGINNING)
    for form in (extended_form(), address_book_form()):
        assert page(3, form=form, advance=False)[0] == packed(made, rows[:3], columns, form)
    for limit in range(len(packed(made, rows[:1], columns)), len(packed(made, rows[:4], columns)), 7):
        data, count, origin = page(99, limit, advance=False)
        assert origin is Origin.CURRENT
        assert data == packed(made, rows[:count], columns)
        assert len(data) <= limit < len(packed(made, rows[: count + 1], columns))
        data, count, _ = page(99, limit)
        assert box(made.query_position) == (count, 40)
        box(made.seek, Origin.BEGINNING, 0)
    with error(ec.ecBufferTooSmall):
        page(1, 10)
    box(made.seek, Origin.END, 0)
    with error(ec.ecBufferTooSmall):
        page(1, 10, forward=False)
    made.sort(by(tags.PidTagSentRepresentingName, tags.PidTagMid, categorized=1, expanded=1))
    rows = box.rows(made)
    box(made.seek, Origin.BEGINNING, 0)
    assert page(99) == (packed(made, rows, columns), len(rows), Origin.END)


def test_categories_of_many_rows_are_what_their_rows_say(box: Tabled) -> None:  # noqa: F811
    chance = random.Random(9)
    sort = by(
        tags.PidTagSentRepresentingName, tags.PidTagMessageSize, tags.PidTagMid, categorized=2, expanded=1
    )
    made = box.table(tags.PidTagRowType, tags.PidTagContentCount, tags.PidTagInstID, tags.PidTagMid)
    made.sort(sort)
    kept: list[Row] = []
    for _ in range(12):
        kept += add(box, chance, 10)
        gone = kept.pop(chance.randrange(len(kept)))
        box.edit(lambda edit, gone=gone: messages.soft_delete(edit, gone))
        box(made.seek, Origin.BEGINNING, 0)
        rows = box.rows(made)
        collapsed = [row for row in rows if row[0] == 4]
        if collapsed:
            box(made.expand, chance.choice(collapsed)[2])
        box(made.seek, Origin.BEGINNING, 0)
        rows = box.rows(made)
        assert sum(row[1] for row in rows if row[0] == 3 and isinstance(row[1], int)) >= len(kept)
        for position in range(len(rows)):
            box(made.seek, Origin.BEGINNING, position)
            assert box(made.query_position) == (position, len(rows))
            assert box.rows(made, 1) == [rows[position]]
        shown = [row[3] for row in rows if row[0] == 1]
        assert set(shown) <= {to_int64(row.mid) for row in kept}


def test_search_folders_have_tables(box: Tabled) -> None:  # noqa: F811
    fid = make_search(box.store, box.mailbox)
    box.store.write(
        lambda txn: search_folders.define(txn, box.mailbox, fid, IMPORTANT, (box.fid,), SearchFlag.RECURSIVE)
    ).result()
    for n in range(6):
        box.insert(("urgent " if n % 2 else "") + f"s{n}", n)
    settle(box.store, box.mailbox, fid)
    made = Table(SearchSource(box.mailbox, fid), box.shared)
    made.set_columns((tags.PidTagSubject,))
    made.sort(by(tags.PidTagMessageSize, descending=True))
    assert box.rows(made) == ["urgent s5", "urgent s3", "urgent s1"]
    late = box.insert("urgent s9", 9)
    settle(box.store, box.mailbox, fid)
    box(made.seek, Origin.BEGINNING, 0)
    assert box.rows(made) == ["urgent s9", "urgent s5", "urgent s3", "urgent s1"]
    made.restrict(prop(r.RelOp.EQ, tags.PidTagRead, True))
    assert box.rows(made) == []
    box.edit(lambda edit: messages.set_state(edit, late, late.flags | 1, ()))
    box(made.seek, Origin.BEGINNING, 0)
    assert box.rows(made) == ["urgent s9"]
    with box.store.read() as txn:
        data, count, _ = made.pack_rows(txn, 5, 1000, rop_form(), forward=False)
    assert (count, data) == (1, packed(made, [("urgent s9",)], (tags.PidTagSubject,)))
    box.edit(lambda edit: messages.soft_delete(edit, late))
    settle(box.store, box.mailbox, fid)
    box(made.seek, Origin.BEGINNING, 0)
    assert box.rows(made) == []


@pytest.mark.covers("MS-OXCTABL_R530", "MS-OXCTABL_R876")
def test_all_columns(box: Tabled) -> None:  # noqa: F811
    assert tags.PidTagMid in box(box.table().columns_all)
    box.insert_bag({tags.PidTagSubject: "a", 0x8001101F: ("x",), 0x8002000D: b"object"})
    box.insert_bag({0x80030003: 5})
    made = box.table()
    found = box(made.columns_all)
    assert found == sorted(found)
    assert {tags.PidTagSubject, tags.PidTagMid, tags.PidTagRowType, 0x8001101F, 0x80030003} <= set(found)
    assert tags.PidTagDeletedOn not in found
    made.set_columns(found)
    assert len(box.rows(made)) == 2
