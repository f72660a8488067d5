"""TableModified: a client hears of the rows that it looks at, one by one, or that the table changed."""

import pytest

from appliance.directory.model import Entry
from appliance.mailbox import folders as mailbox_folders
from appliance.mailbox import items
from appliance.mailbox.items import FlagChange, How
from appliance.mapi import restrictions as r
from appliance.mapi import tags
from appliance.mapi.rows import read_row
from appliance.rop.notify.data import Bit, NotificationData, TableEvent, Type
from appliance.rop.notify.tables import MAX_ROWS
from appliance.rop.ops import (
    collapse_row,
    create_bookmark,
    expand_row,
    get_contents_table,
    query_columns_all,
    release,
    reset_table,
    seek_row_bookmark,
    seek_row_fractional,
)
from appliance.store.contents import Row, RowFlag
from appliance.store.mailboxes import Special
from appliance.wire.cursor import Reader
from tests.conftest import EPOCH
from tests.rop.kit import Client
from tests.rop.mail import append, deliver
from tests.rop.notify.test_subscriptions import follow, make_search, own, told
from tests.rop.ops.tabling import SUBJECT, Grid, contents, hierarchy, opened
from tests.transport.office import Office

READ = tags.PidTagRead
NAME = tags.PidTagDisplayName


@pytest.fixture
def inbox(client: Client) -> int:
    return opened(client, client.logon())


def looked_at(table: Grid, *columns: int) -> Grid:
    """A table whose rows the client has read."""
    table.show(*columns)
    table.rows(100)
    return table


def rows_of(heard: list[NotificationData]) -> list[tuple[int, int | None]]:
    return [(int(data.table_event or 0), data.row_message) for data in heard]


def cells(client: Client, data: NotificationData, *columns: int) -> list[object]:
    assert data.row_data is not None
    return read_row(Reader(data.row_data), columns, client.session.form)


@pytest.mark.covers(
    "MS-OXCNOTIF_R256",
    "MS-OXCNOTIF_R257",
    "MS-OXCNOTIF_R252",
    "MS-OXCNOTIF_R261",
    "MS-OXCNOTIF_R262",
    "MS-OXCNOTIF_R263",
    "MS-OXCNOTIF_R268",
    "MS-OXCNOTIF_R269",
    "MS-OXCNOTIF_R260",
)
def test_rows_come_change_and_go(client: Client, office: Office, anna: Entry, inbox: int) -> None:
    first = append(office, anna)
    table = looked_at(contents(client, inbox), SUBJECT, READ)
    second = append(office, anna)
    (added,) = told(client)
    assert added.flags == Type.TABLE_MODIFIED | Bit.MESSAGE
    assert (added.table_event, added.row_message) == (TableEvent.ROW_ADDED, second.mid)
    assert (added.row_folder, added.after_folder) == (Special.INBOX, Special.INBOX)
    assert (added.after_message, added.after_instance) == (first.mid, 0)
    assert cells(client, added, SUBJECT, READ) == ["Hello", False]
    seen = FlagChange(How.ADD, RowFlag.SEEN)
    where = (anna.mailbox, Special.INBOX, [first.uid])
    office.write(lambda txn: items.change_flags(txn, own(anna), *where, seen, now=EPOCH))
    (changed,) = told(client)
    assert (changed.table_event, changed.row_message) == (TableEvent.ROW_MODIFIED, first.mid)
    assert (changed.after_folder, changed.after_message) == (0, 0)
    assert cells(client, changed, SUBJECT, READ) == ["Hello", True]
    office.write(lambda txn: items.delete(txn, own(anna), *where, now=EPOCH))
    (gone,) = told(client)
    assert (gone.table_event, gone.row_message, gone.row_data) == (TableEvent.ROW_DELETED, first.mid, None)
    assert client.batch([]).notices == []
    assert table.handle


def test_a_move_leaves_one_table_and_comes_into_another(client: Client, office: Office, anna: Entry) -> None:
    row, logon = append(office, anna), client.logon()
    here = looked_at(contents(client, opened(client, logon)), SUBJECT)
    there = looked_at(contents(client, opened(client, logon, Special.DRAFTS)), SUBJECT)
    where = (anna.mailbox, Special.INBOX, [row.uid], anna.mailbox, Special.DRAFTS)
    ((_, moved),) = office.write(lambda txn: items.move(txn, own(anna), *where, now=EPOCH))
    heard = {}
    while len(heard) < 2:
        assert client.wait()
        heard |= {notice.handle: notice.data for notice in client.batch([]).notices}
    assert rows_of([heard[here.handle]]) == [(TableEvent.ROW_DELETED, row.mid)]
    assert rows_of([heard[there.handle]]) == [(TableEvent.ROW_ADDED, moved.mid)]


@pytest.mark.covers("MS-OXCNOTIF_R264", "MS-OXCNOTIF_R270", "MS-OXCNOTIF_R271")
def test_a_restricted_table_has_changed(client: Client, office: Office, anna: Entry, inbox: int) -> None:
    table = contents(client, inbox)
    table.restrict(r.Exist(SUBJECT))
    looked_at(table, SUBJECT)
    row = deliver(office, anna)
    (data,) = told(client)
    assert (data.table_event, data.row_message) == (TableEvent.ROW_ADDED, row.mid)
    where = (anna.mailbox, Special.INBOX, [row.uid])
    office.write(lambda txn: items.delete(txn, own(anna), *where, now=EPOCH))
    (data,) = told(client)
    assert (data.table_event, data.row_message) == (TableEvent.CHANGED, None)


def test_many_changes_are_a_changed_table(client: Client, office: Office, anna: Entry, inbox: int) -> None:
    made = [append(office, anna) for _ in range(MAX_ROWS + 1)]
    looked_at(contents(client, inbox), SUBJECT)
    uids = [row.uid for row in made]
    office.write(lambda txn: items.delete(txn, own(anna), anna.mailbox, Special.INBOX, uids, now=EPOCH))
    (data,) = told(client)
    assert data.table_event == TableEvent.CHANGED


@pytest.mark.covers("MS-OXCNOTIF_R258", "MS-OXCNOTIF_R243", "MS-OXCNOTIF_R246")
def test_who_does_not_want_or_has_not_looked_hears_nothing(
    client: Client, office: Office, anna: Entry, inbox: int
) -> None:
    flags = get_contents_table.TableFlags.NO_NOTIFICATIONS
    looked_at(contents(client, inbox, flags), SUBJECT)
    contents(client, inbox).show(SUBJECT)
    loud = looked_at(contents(client, inbox), SUBJECT)
    append(office, anna)
    assert client.wait()
    assert [notice.handle for notice in client.batch([]).notices] == [loud.handle]


@pytest.mark.covers("MS-OXCNOTIF_R275", "MS-OXCNOTIF_R281", "MS-OXCNOTIF_R272")
def test_a_reset_or_released_table_is_silent(client: Client, office: Office, anna: Entry, inbox: int) -> None:
    quiet = looked_at(contents(client, inbox), SUBJECT)
    client.do(reset_table.ROP, on=quiet.handle)
    gone = looked_at(contents(client, inbox), SUBJECT)
    client.ask(release.ROP, on=gone.handle)
    loud = looked_at(contents(client, inbox), SUBJECT)
    append(office, anna)
    assert client.wait()
    assert [notice.handle for notice in client.batch([]).notices] == [loud.handle]
    looked_at(quiet, SUBJECT)
    append(office, anna)
    heard = set()
    while len(heard) < 2:
        assert client.wait()
        heard |= {notice.handle for notice in client.batch([]).notices}
    assert heard == {loud.handle, quiet.handle}


def test_folders(client: Client, office: Office, anna: Entry) -> None:
    top = opened(client, client.logon(), Special.IPM_SUBTREE)
    looked_at(hierarchy(client, top), NAME)
    made = office.write(lambda txn: mailbox_folders.create(txn, own(anna), anna.mailbox, ("One",), now=EPOCH))
    (added,) = told(client)
    assert added.flags == Type.TABLE_MODIFIED
    assert (added.table_event, added.row_folder, added.row_message) == (TableEvent.ROW_ADDED, made.fid, None)
    assert cells(client, added, NAME) == ["One"]
    append(office, anna, made.fid)
    (counted,) = told(client)
    assert (counted.table_event, counted.row_folder) == (TableEvent.ROW_MODIFIED, made.fid)


def test_search_folders(client: Client, office: Office, anna: Entry) -> None:
    fid = make_search(office, anna)
    found = opened(client, client.logon(), fid)
    looked_at(contents(client, found), SUBJECT)
    row: Row = append(office, anna)
    follow(office, anna, fid)
    heard: list[NotificationData] = []
    while not heard:
        heard = told(client)
    assert rows_of(heard) == [(TableEvent.ROW_ADDED, row.mid)]
    assert heard[0].row_folder == Special.INBOX


CATEGORY = 1 << 62
LOOKS = {
    "collapse": lambda grid: grid.ask(collapse_row.ROP, collapse_row.Request(CATEGORY)),
    "expand": lambda grid: grid.ask(expand_row.ROP, expand_row.Request(1, CATEGORY)),
    "find": lambda grid: grid.find(r.Exist(SUBJECT)),
    "columns": lambda grid: grid.ask(query_columns_all.ROP),
    "position": lambda grid: grid.position(),
    "rows": lambda grid: grid.rows(),
    "seek": lambda grid: grid.seek(0),
    "fraction": lambda grid: grid.do(seek_row_fractional.ROP, seek_row_fractional.Request(0, 1)),
}


@pytest.mark.covers(
    "MS-OXCNOTIF_R248",
    "MS-OXCNOTIF_R249",
    "MS-OXCNOTIF_R250",
    "MS-OXCNOTIF_R251",
    "MS-OXCNOTIF_R253",
    "MS-OXCNOTIF_R254",
    "MS-OXCNOTIF_R259",
    "MS-OXCNOTIF_R40001",
    "MS-OXCNOTIF_R266",
    "MS-OXCNOTIF_R267",
    "MS-OXCNOTIF_R273",
    "MS-OXCNOTIF_R274",
    "MS-OXCNOTIF_R276",
    "MS-OXCNOTIF_R278",
    "MS-OXCNOTIF_R280",
    "MS-OXCNOTIF_R282",
    "MS-OXCNOTIF_R284",
    "MS-OXCNOTIF_R245",
    "MS-OXCNOTIF_R277",
    "MS-OXCNOTIF_R279",
    "MS-OXCNOTIF_R283",
    "MS-OXCNOTIF_R286",
)
@pytest.mark.parametrize("look", LOOKS)
def test_each_look_at_the_rows_begins_it(
    client: Client, office: Office, anna: Entry, inbox: int, look: str
) -> None:
    append(office, anna)
    table, loud = contents(client, inbox), looked_at(contents(client, inbox), SUBJECT)
    for grid in (table, loud):
        grid.do(reset_table.ROP)
        grid.show(SUBJECT)
    loud.rows()
    row = append(office, anna)
    assert client.wait()
    assert {notice.handle for notice in client.batch([]).notices} == {loud.handle}
    begin = LOOKS[look](table)
    assert look not in ("collapse", "expand") or begin.code != 0
    if look in ("collapse", "expand"):  # they failed, and failing is no look
        return
    uids = [row.uid]
    office.write(lambda txn: items.delete(txn, own(anna), anna.mailbox, Special.INBOX, uids, now=EPOCH))
    heard = set()
    while len(heard) < 2:
        assert client.wait()
        heard |= {notice.handle for notice in client.batch([]).notices}
    assert heard == {loud.handle, table.handle}


@pytest.mark.covers("MS-OXCNOTIF_R255", "MS-OXCNOTIF_R285")
def test_a_look_from_a_bookmark_begins_it(client: Client, office: Office, anna: Entry, inbox: int) -> None:
    append(office, anna)
    table = contents(client, inbox)
    bookmark = table.do(create_bookmark.ROP).bookmark
    table.do(seek_row_bookmark.ROP, seek_row_bookmark.Request(bookmark, 0, False))
    row = append(office, anna)
    assert rows_of(told(client)) == [(TableEvent.ROW_ADDED, row.mid)]
