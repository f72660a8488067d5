"""Tables over a real store: rows, cursors, bookmarks, categories, multi-value instances (MS-OXCTABL)."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.formats import bags
from appliance.mapi import errors as ec
from appliance.mapi import restrictions as r
from appliance.mapi import tags
from appliance.mapi.ids import to_int64
from appliance.mapi.rows import PropertyError
from appliance.mapi.sorts import Direction, SortOrder, SortOrderSet
from appliance.store import contents, folders, messages
from appliance.store.contents import Row, RowFlag
from appliance.store.mailboxes import Special
from appliance.store.messages import PART_RECIPIENT, NewMessage, Part
from appliance.store.permissions import Right
from appliance.store.permissions import put as put_permission
from appliance.store.tables import lists, sources, table
from appliance.store.tables.arrangement import Arrangements
from appliance.store.tables.hierarchy import HierarchySource
from appliance.store.tables.sortkeys import part
from appliance.store.tables.table import Origin, Table, TableError
from tests.mailbox.search.fakes import NOW, Box

KEYWORDS = 0x8001101F  # a named PtypMultipleString
KEYWORD_ROWS = KEYWORDS | 0x2000
SUBJECT, SIZE, SENDER = tags.PidTagSubject, tags.PidTagMessageSize, tags.PidTagSentRepresentingName


class Tabled(Box):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.shared = Arrangements()

    def insert(self, subject: str = "", size: int = 1, seen: bool = False, **props: Any) -> Row:
        bag = {SUBJECT: subject, **{getattr(tags, name): value for name, value in props.items()}}
        return self.insert_bag(bag, size, seen)

    def insert_bag(self, bag: dict[int, Any], size: int = 1, seen: bool = False) -> Row:
        new = NewMessage(
            blob=0,
            size=size,
            bag=bags.pack(bag),
            received=NOW,
            flags=RowFlag.SEEN if seen else RowFlag(0),
            parts=(
                Part(PART_RECIPIENT, 0, bags.pack({tags.PidTagDisplayName: "To " + str(bag.get(SUBJECT))})),
            ),
        )
        row: Row = self.edit(lambda edit: messages.insert(edit, self.fid, new))
        return row

    def table(self, *columns: int, associated: bool = False) -> Table:
        made = Table(sources.ContentsSource(self.mailbox, self.fid, associated=associated), self.shared)
        made.set_columns(columns or (SUBJECT,))
        return made

    def rows(self, made: Table, count: int = 10_000, **options: Any) -> list[Any]:
        with self.store.read() as txn:
            rows, _ = made.query_rows(txn, count, **options)
        return [row[0] if len(row) == 1 else tuple(row) for row in rows]

    def __call__(self, method: Any, *args: Any, **options: Any) -> Any:
        with self.store.read() as txn:
            return method(txn, *args, **options)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Tabled]:
    box = Tabled(tmp_path)
    yield box
    box.store.close()


def by(*tags_: int, descending: bool = False, **more: int) -> SortOrderSet:
    direction = Direction.DESCENDING if descending else Direction.ASCENDING
    return SortOrderSet(tuple(SortOrder(tag, direction) for tag in tags_), **more)


def prop(relation: r.RelOp, tag: int, value: Any) -> r.Property:
    return r.Property(relation, tag, tag, value)


def error(code: int) -> Any:
    return pytest.raises(TableError, match=f"{code:#x}")


@pytest.mark.covers("MS-OXCTABL_R437", "MS-OXCTABL_R438", "MS-OXCTABL_R76", "MS-OXCTABL_R77")
def test_sort_orders(box: Tabled) -> None:
    for subject, size in (("b", 2), ("A", 3), ("é", 1), ("a", 1), ("", 9)):
        box.insert(subject, size)
    made = box.table(SUBJECT)
    made.sort(by(SUBJECT))
    assert box.rows(made) == ["", "A", "a", "b", "é"]
    made.sort(by(SUBJECT, descending=True))
    assert box.rows(made) == ["é", "b", "A", "a", ""]
    made.sort(SortOrderSet((SortOrder(SIZE, Direction.DESCENDING), SortOrder(SUBJECT))))
    assert box.rows(made) == ["", "A", "b", "a", "é"]
    with error(ec.ecInvalidParam):
        made.sort(SortOrderSet((SortOrder(SIZE),), 2, 0))


def test_sort_keys_compare_as_values() -> None:
    for values in (
        [None, False, True],
        [None, -(1 << 62), -1, 0, 1, 1 << 62],
        [None, float("-inf"), -2.5, -1.0, 0.0, 1e-9, 3.5, float("inf")],
        [None, b"", b"\0", b"\0\0", b"\0a", b"a", b"ab"],
        [None, "", "a", "ab", "b"],
        [None, (1,), (1, 2), (2,)],
    ):
        keys = [part(value, Direction.ASCENDING) for value in values]
        assert keys == sorted(keys)
        assert len(set(keys)) == len(keys)
        assert [part(v, Direction.DESCENDING) for v in values] == sorted(
            (part(v, Direction.DESCENDING) for v in values), reverse=True
        )


@pytest.mark.covers("MS-OXCTABL_R451", "MS-OXCTABL_R452", "MS-OXCTABL_R117", "MS-OXCTABL_R86")
def test_restrictions(box: Tabled) -> None:
    for n in range(10):
        box.insert(f"s{n}", n, seen=n % 2 == 0)
    made = box.table(SUBJECT)
    made.sort(by(SUBJECT))
    made.restrict(prop(r.RelOp.GE, SIZE, 7))
    assert box.rows(made) == ["s7", "s8", "s9"]
    made.restrict(r.And((prop(r.RelOp.LT, SIZE, 5), prop(r.RelOp.EQ, tags.PidTagRead, True))))
    assert box.rows(made) == ["s0", "s2", "s4"]
    recipients = r.SubObject(0x0E12000D, prop(r.RelOp.EQ, tags.PidTagDisplayName, "To s3"))
    made.restrict(recipients)
    assert box.rows(made) == ["s3"]
    made.restrict(None)
    assert len(box.rows(made)) == 10


@pytest.mark.covers(
    "MS-OXCTABL_R462", "MS-OXCTABL_R470", "MS-OXCTABL_R725", "MS-OXCTABL_R784", "MS-OXCTABL_R726"
)
def test_reading_moves_the_cursor(box: Tabled) -> None:
    for n in range(5):
        box.insert(f"s{n}")
    made = box.table(SUBJECT)
    made.sort(by(SUBJECT))

    def query(count: int, **options: Any) -> Any:
        rows, origin = box(made.query_rows, count, **options)
        return [row[0] for row in rows], origin

    assert query(2) == (["s0", "s1"], Origin.CURRENT)
    assert query(2, advance=False) == (["s2", "s3"], Origin.CURRENT)
    assert query(9) == (["s2", "s3", "s4"], Origin.END)
    assert query(9) == ([], Origin.END)
    assert query(2, forward=False) == (["s3", "s4"], Origin.CURRENT)
    assert query(9, forward=False) == (["s0", "s1", "s2"], Origin.BEGINNING)
    assert query(1, forward=False) == ([], Origin.BEGINNING)
    assert query(9, fits=lambda cells: cells[0] < "s2") == (["s0", "s1"], Origin.CURRENT)
    with error(ec.ecBufferTooSmall):
        query(9, fits=lambda cells: False)


@pytest.mark.covers("MS-OXCTABL_R428", "MS-OXCTABL_R435", "MS-OXCTABL_R122", "MS-OXCTABL_R116")
def test_columns(box: Tabled) -> None:
    row = box.insert("s" * 600, PidTagSenderEntryId=b"e" * 600)
    made = Table(sources.ContentsSource(box.mailbox, box.fid), box.shared)
    for call in (lambda: box.rows(made), lambda: box(made.expand, 1), lambda: made.free_bookmark(b"")):
        with error(ec.ecNullObject):
            call()
    for wrong in ((), (0x00370000,), (0x0037000A,), (SUBJECT | 0x2000,), (0x00370FFF,)):
        with error(ec.ecInvalidParam):
            made.set_columns(wrong)
    made.set_columns(
        (
            tags.PidTagMid,
            SUBJECT,
            tags.PidTagSenderEntryId,
            tags.PidTagBody,
            tags.PidTagMessageClass,
            tags.PidTagRowType,
        )
    )
    (cells,) = box.rows(made)
    assert cells == (to_int64(row.mid), "s" * 255, b"e" * 510, PropertyError(ec.ecNotFound), "IPM.Note", 1)


@pytest.mark.covers("MS-OXCTABL_R491", "MS-OXCTABL_R496", "MS-OXCTABL_R497", "MS-OXCTABL_R513",
                    "MS-OXCTABL_R514", "MS-OXCTABL_R515")  # fmt: skip
def test_seeking(box: Tabled) -> None:
    for n in range(10):
        box.insert(f"s{n}")
    made = box.table(SUBJECT)
    assert box(made.seek, Origin.BEGINNING, 4) == 4
    assert box(made.query_position) == (4, 10)
    assert box(made.seek, Origin.CURRENT, 100) == 6
    assert box(made.query_position) == (10, 10)
    assert box(made.seek, Origin.END, -3) == -3
    assert box(made.seek, Origin.CURRENT, -100) == -7
    for numerator, denominator, at in ((0, 5, 0), (1, 2, 5), (7, 7, 10), (9, 7, 10)):
        box(made.seek_fraction, numerator, denominator)
        assert box(made.query_position) == (at, 10)
    with error(ec.ecInvalidBookmark):
        box(made.seek_fraction, 1, 0)


@pytest.mark.covers(
    "MS-OXCTABL_R503", "MS-OXCTABL_R506", "MS-OXCTABL_R511", "MS-OXCTABL_R2481", "MS-OXCTABL_R439"
)
def test_bookmarks_follow_their_rows(box: Tabled) -> None:
    rows = [box.insert(f"s{n}") for n in range(10)]
    made = box.table(SUBJECT)
    made.sort(by(SUBJECT))
    box(made.seek, Origin.BEGINNING, 5)
    mark = box(made.create_bookmark)
    box.insert("a")
    box.edit(lambda edit: messages.soft_delete(edit, rows[2]))
    box.insert("b")
    assert box(made.query_position) == (6, 11)  # the cursor is still at s5
    assert box.rows(made, 1) == ["s5"]
    assert box(made.seek_bookmark, mark, 1) == (1, False)
    assert box.rows(made, 1) == ["s6"]
    box.edit(lambda edit: messages.soft_delete(edit, rows[5]))
    assert box(made.seek_bookmark, mark, 0) == (0, True)
    assert box.rows(made, 1) == ["s6"]  # the next row after it
    made.free_bookmark(mark)
    with error(ec.ecInvalidBookmark):
        box(made.seek_bookmark, mark, 0)
    mark = box(made.create_bookmark)
    made.sort(by(SIZE))
    with error(ec.ecInvalidBookmark):
        box(made.seek_bookmark, mark, 0)
    assert box(made.query_position)[0] == 0


@pytest.mark.covers("MS-OXCTABL_R534", "MS-OXCTABL_R536", "MS-OXCTABL_R538", "MS-OXCTABL_R241")
def test_find_row(box: Tabled) -> None:
    rows = [box.insert(f"s{n}", n % 3) for n in range(9)]
    made = box.table(SUBJECT)
    made.sort(by(SUBJECT))
    ones = prop(r.RelOp.EQ, SIZE, 1)
    assert box(made.find_row, ones, Origin.BEGINNING) == (["s1"], False)
    assert box(made.find_row, ones, Origin.CURRENT) == (["s1"], False)
    box(made.seek, Origin.CURRENT, 1)
    assert box(made.find_row, ones, Origin.CURRENT) == (["s4"], False)
    mark = box(made.create_bookmark)
    assert box(made.find_row, ones, Origin.CURRENT, backwards=True) == (["s1"], False)
    assert box(made.find_row, ones, Origin.END, backwards=True) == (["s7"], False)
    box.edit(lambda edit: messages.soft_delete(edit, rows[4]))
    assert box(made.find_row, ones, Origin.CUSTOM, bookmark=mark) == (["s7"], True)
    with error(ec.ecNotFound):
        box(made.find_row, prop(r.RelOp.EQ, SIZE, 77), Origin.BEGINNING)
    with error(ec.ecInvalidBookmark):
        box(made.find_row, ones, Origin.CUSTOM, bookmark=b"nope")


@pytest.mark.covers(
    "MS-OXCTABL_R553", "MS-OXCTABL_R555", "MS-OXCTABL_R557", "MS-OXCTABL_R561", "MS-OXCTABL_R562"
)
def test_reset(box: Tabled) -> None:
    for n in range(4):
        box.insert(f"s{n}")
    made = box.table(SUBJECT)
    made.restrict(prop(r.RelOp.EQ, SUBJECT, "s1"))
    mark = box(made.create_bookmark)
    made.reset()
    with error(ec.ecNullObject):
        box.rows(made)
    made.set_columns((SUBJECT,))
    assert sorted(box.rows(made)) == ["s0", "s1", "s2", "s3"]
    with error(ec.ecInvalidBookmark):
        box(made.seek_bookmark, mark, 0)


def categorized(box: Tabled, expanded: int = 1) -> Table:
    for sender, subject, seen in (
        ("ann", "x", True),
        ("bob", "y", False),
        ("ann", "w", False),
        ("cy", "z", True),
    ):
        box.insert(subject, seen=seen, PidTagSentRepresentingName=sender)
    made = box.table(SENDER, SUBJECT, tags.PidTagRowType, tags.PidTagDepth, tags.PidTagContentCount,
                     tags.PidTagContentUnreadCount, tags.PidTagInstID)  # fmt: skip
    made.sort(SortOrderSet((SortOrder(SENDER), SortOrder(SUBJECT)), 1, expanded))
    return made


@pytest.mark.covers("MS-OXCTABL_R15", "MS-OXCTABL_R17", "MS-OXCTABL_R18", "MS-OXCTABL_R19", "MS-OXCTABL_R20",
                    "MS-OXCTABL_R22", "MS-OXCTABL_R66", "MS-OXCTABL_R72")  # fmt: skip
def test_categories(box: Tabled) -> None:
    made = categorized(box)
    missing = PropertyError(ec.ecNotFound)
    seen = [row[:6] for row in box.rows(made)]
    assert seen == [
        ("ann", missing, 3, 0, 2, 1),
        ("ann", "w", 1, 1, missing, missing),
        ("ann", "x", 1, 1, missing, missing),
        ("bob", missing, 3, 0, 1, 1),
        ("bob", "y", 1, 1, missing, missing),
        ("cy", missing, 3, 0, 1, 0),
        ("cy", "z", 1, 1, missing, missing),
    ]


@pytest.mark.covers("MS-OXCTABL_R567", "MS-OXCTABL_R570", "MS-OXCTABL_R571", "MS-OXCTABL_R573",
                    "MS-OXCTABL_R576",
                    "MS-OXCTABL_R577", "MS-OXCTABL_R278", "MS-OXCTABL_R287")  # fmt: skip
def test_expand_and_collapse(box: Tabled) -> None:
    made = categorized(box, expanded=0)
    rows = box.rows(made)
    assert [row[0] for row in rows] == ["ann", "bob", "cy"]
    assert [row[2] for row in rows] == [4, 4, 4]
    ann = rows[0][6]
    with error(ec.ecNotExpanded):
        box(made.collapse, ann)
    total, shown = box(made.expand, ann, 1)
    assert (total, [row[1] for row in shown]) == (2, ["w"])
    with error(ec.ecNotCollapsed):
        box(made.expand, ann)
    with error(ec.ecNotFound):
        box(made.expand, 12345)
    box(made.seek, Origin.BEGINNING, 2)  # a row within
    assert box(made.collapse, ann) == 2
    assert box.rows(made, 1)[0][0] == "bob"


@pytest.mark.covers("MS-OXCTABL_R579", "MS-OXCTABL_R581", "MS-OXCTABL_R585", "MS-OXCTABL_R587")
def test_collapsed_state_is_kept_for_another_session(box: Tabled) -> None:
    made = categorized(box, expanded=0)
    bob = box.rows(made)[1][6]
    box(made.expand, bob)
    leaf = next(
        to_int64(row.mid) for row in contents_of(box) if row.size == 1 and subject_of(box, row) == "y"
    )
    state = box(made.collapse_state, leaf, 0)
    other = box.table(SUBJECT, SENDER)
    other.sort(SortOrderSet((SortOrder(SENDER), SortOrder(SUBJECT)), 1, 0))
    mark = box(other.set_collapse_state, state)
    assert box.rows(other, 1) == [("y", "bob")]
    assert box(other.seek_bookmark, mark, 0) == (0, False)
    assert box(other.query_position) == (2, 4)
    for cut in range(8):
        with error(ec.ecInvalidParam):
            box(other.set_collapse_state, state[:cut])
    with error(ec.ecInvalidParam):
        box(other.set_collapse_state, state + b"x")
    with error(ec.ecInvalidParam):
        box(other.set_collapse_state, state[:-1])


def contents_of(box: Tabled) -> list[Row]:
    with box.store.read() as txn:
        return list(contents.rows(txn, box.mailbox, box.fid))


def subject_of(box: Tabled, row: Row) -> Any:
    with box.store.read() as txn:
        return messages.load(txn, box.mailbox, row.mid).get(SUBJECT)


@pytest.mark.covers("MS-OXCTABL_R82")
def test_categories_by_their_largest_value(box: Tabled) -> None:
    for sender, size in (("ann", 5), ("bob", 9), ("ann", 1), ("cy", 7)):
        box.insert(f"{sender}{size}", size, PidTagSentRepresentingName=sender)
    made = box.table(SUBJECT)
    made.sort(
        SortOrderSet(
            (
                SortOrder(SENDER, Direction.DESCENDING),
                SortOrder(SIZE, Direction.MAXIMUM_CATEGORY),
                SortOrder(SIZE),
            ),
            1,
            1,
        )
    )
    assert [row for row in box.rows(made) if isinstance(row, str)] == ["bob9", "cy7", "ann1", "ann5"]


@pytest.mark.covers("MS-OXCTABL_R433", "MS-OXCTABL_R448", "MS-OXCTABL_R8", "MS-OXCTABL_R12")
def test_multi_value_instances(box: Tabled) -> None:
    first = box.insert_bag({SUBJECT: "two", KEYWORDS: ("red", "blue")})
    box.insert_bag({SUBJECT: "one", KEYWORDS: ("green",)})
    box.insert_bag({SUBJECT: "none"})
    made = box.table(KEYWORD_ROWS, SUBJECT, tags.PidTagInstID, tags.PidTagInstanceNum)
    made.sort(by(KEYWORD_ROWS))
    rows = box.rows(made)
    assert [row[:2] for row in rows] == [
        (PropertyError(ec.ecNotFound), "none"), ("blue", "two"), ("green", "one"), ("red", "two"),
    ]  # fmt: skip
    assert [row[3] for row in rows if row[2] == to_int64(first.mid)] == [1, 0]
    made.sort(by(KEYWORD_ROWS, categorized=1, expanded=1))
    assert len(box.rows(made)) == 8


def test_shared_rows_follow_every_change(box: Tabled) -> None:
    random.seed(3)
    tables = [box.table(SUBJECT), box.table(SUBJECT), box.table(SUBJECT)]
    tables[0].sort(by(SUBJECT))
    tables[1].sort(by(SUBJECT))
    tables[2].restrict(prop(r.RelOp.EQ, tags.PidTagRead, False))
    tables[2].sort(by(SUBJECT))
    rows: list[Row] = []
    truth: dict[int, tuple[str, bool]] = {}
    for step in range(150):
        action = random.random()
        if action < 0.6 or not rows:
            row = box.insert(f"s{random.randrange(50):02}", seen=action < 0.3)
            rows.append(row)
            truth[row.mid] = (str(subject_of(box, row)), action < 0.3)
        elif action < 0.8:
            row = rows.pop(random.randrange(len(rows)))
            box.edit(lambda edit, row=row: messages.soft_delete(edit, row))
            del truth[row.mid]
        else:
            at = random.randrange(len(rows))
            flags = rows[at].flags ^ RowFlag.SEEN
            rows[at] = box.edit(
                lambda edit, at=at, flags=flags: messages.set_state(edit, rows[at], flags, ())
            )
            truth[rows[at].mid] = (truth[rows[at].mid][0], bool(flags & RowFlag.SEEN))
        if step % 10 == 0:
            for made, unread_only in zip(tables, (False, False, True), strict=True):
                box(made.seek, Origin.BEGINNING, 0)
                wanted = sorted(text for text, seen in truth.values() if not (unread_only and seen))
                assert box.rows(made) == wanted


def test_the_other_tables(box: Tabled) -> None:
    rows = [box.insert(f"s{n}") for n in range(3)]
    box.edit(lambda edit: messages.soft_delete(edit, rows[1]))
    deleted = Table(sources.DeletedSource(box.mailbox, box.fid), box.shared)
    deleted.set_columns((SUBJECT, tags.PidTagDeletedOn))
    assert box.rows(deleted) == [("s1", NOW)]
    new = NewMessage(blob=0, size=1, bag=bags.pack({SUBJECT: "fai"}), associated=True)
    box.edit(lambda edit: messages.insert(edit, box.fid, new))
    assert box.rows(box.table(SUBJECT, tags.PidTagAssociated, associated=True)) == [("fai", True)]
    assert len(box.rows(box.table(SUBJECT))) == 2

    hierarchy = Table(HierarchySource(box.mailbox, int(Special.ROOT), deep=True), box.shared)
    hierarchy.set_columns(
        (tags.PidTagDisplayName, tags.PidTagContentCount, tags.PidTagDepth, tags.PidTagFolderId)
    )
    listed = {row[3]: row for row in box.rows(hierarchy)}
    with box.store.read() as txn:
        assert set(listed) == {
            to_int64(f.fid) for f in folders.walk(txn, box.mailbox) if f.fid != Special.ROOT
        }
    assert listed[to_int64(box.fid)][1:3] == (2, 2)
    box.insert("more")
    box(hierarchy.seek, Origin.BEGINNING, 0)
    assert {row[3]: row for row in box.rows(hierarchy)}[to_int64(box.fid)][1] == 3
    shallow = Table(HierarchySource(box.mailbox, int(Special.IPM_SUBTREE)), box.shared)
    shallow.set_columns((tags.PidTagFolderId,))
    assert to_int64(box.fid) in box.rows(shallow)

    with box.store.read() as txn:
        recipients = lists.parts_source(txn, box.mailbox, rows[0].mid, PART_RECIPIENT)
    people = Table(recipients, box.shared)
    people.set_columns((tags.PidTagDisplayName,))
    assert box.rows(people) == ["To s0"]
    box.store.write(lambda txn: put_permission(txn, box.mailbox, box.fid, 7, Right.READ_ANY)).result()
    with box.store.read() as txn:
        granted = Table(
            lists.permissions_source(txn, box.mailbox, box.fid, lambda m: f"user {m}"), box.shared
        )
    granted.set_columns((tags.PidTagMemberName, tags.PidTagMemberRights))
    assert ("user 7", int(Right.READ_ANY)) in box.rows(granted)
    with box.store.read() as txn:
        assert list(lists.rules_source(txn, box.mailbox, box.fid).records(txn)) == []


def test_bookmarks_are_bounded(box: Tabled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_BOOKMARKS", 3)
    made = box.table(SUBJECT)
    for _ in range(3):
        box(made.create_bookmark)
    with error(ec.ecMemory):
        box(made.create_bookmark)
