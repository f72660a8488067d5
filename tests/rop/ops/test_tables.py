"""Tables through ROPs (MS-OXCTABL 3.2.5, MS-OXCROPS 2.2.5)."""

import struct

import pytest

from appliance.directory.model import Entry
from appliance.mapi import errors as ec
from appliance.mapi import restrictions as r
from appliance.mapi import tags
from appliance.mapi.ids import to_int64
from appliance.mapi.rows import PropertyError
from appliance.rop import batch
from appliance.rop.model import Empty
from appliance.rop.ops import (
    abort,
    collapse_row,
    create_bookmark,
    expand_row,
    find_row,
    free_bookmark,
    get_collapse_state,
    get_status,
    open_folder,
    query_columns_all,
    query_position,
    query_rows,
    release,
    reset_table,
    restrict,
    seek_row,
    seek_row_bookmark,
    seek_row_fractional,
    set_collapse_state,
    set_columns,
    sort_table,
)
from appliance.store import contents as store_contents
from appliance.store import messages
from appliance.store.contents import Row
from appliance.store.mailboxes import Special
from tests.rop.kit import Ask, Client
from tests.rop.ops.tabling import (
    INST,
    MID,
    SENDER,
    SIZE,
    SUBJECT,
    TYPE,
    Grid,
    contents,
    hierarchy,
    insert,
    opened,
    soft_delete,
)
from tests.transport.office import Office

UP, DOWN, MAXIMUM = 0, 1, 4


def named(subject: str) -> r.Property:
    return r.Property(r.RelOp.EQ, SUBJECT, SUBJECT, subject)


@pytest.fixture
def inbox(client: Client) -> int:
    return opened(client, client.logon())


@pytest.fixture
def ten(office: Office, anna: Entry, client: Client, inbox: int) -> Grid:
    """A table of s0 to s9, in that order."""
    for n in range(10):
        insert(office, anna, f"s{n}", size=n)
    made = contents(client, inbox)
    assert made.sort((SIZE, UP)).code == 0
    return made


# -- layouts ------------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCROPS_2.2.5.1", "MS-OXCROPS_2.2.5.1.1", "MS-OXCROPS_2.2.5.1.2",
    "MS-OXCROPS_2.2.5.4", "MS-OXCROPS_2.2.5.4.1", "MS-OXCROPS_2.2.5.4.2",
    "MS-OXCROPS_2.2.5.7", "MS-OXCROPS_2.2.5.7.1", "MS-OXCROPS_2.2.5.7.2",
    "MS-OXCROPS_2.2.5.8", "MS-OXCROPS_2.2.5.8.1", "MS-OXCROPS_2.2.5.8.2",
    "MS-OXCTABL_R54", "MS-OXCTABL_R55", "MS-OXCTABL_R109", "MS-OXCTABL_R110", "MS-OXCTABL_R111",
    "MS-OXCTABL_R113", "MS-OXCTABL_R114", "MS-OXCTABL_R115", "MS-OXCTABL_R136", "MS-OXCTABL_R138",
    "MS-OXCTABL_R153", "MS-OXCTABL_R156", "MS-OXCTABL_R159", "MS-OXCTABL_R162", "MS-OXCTABL_R72",
    "MS-OXCTABL_R73", "MS-OXCTABL_R75", "MS-OXCTABL_R3", "MS-OXCTABL_R33",
)  # fmt: skip
def test_the_bytes_of_requests_and_responses(ten: Grid) -> None:
    """A batch as a client writes it by hand, and the answer, byte for byte."""
    requests = bytes.fromhex(
        "12 00 00 00 0100 1F003700"  # RopSetColumns: PidTagSubject
        "18 00 00 00 02000000 01"  # RopSeekRow: two rows from the beginning
        "17 00 00"  # RopQueryPosition
        "15 00 00 00 01 0100"  # RopQueryRows: one row, forwards
        "16 00 00"  # RopGetStatus
        "1A 00 00 01000000 01000000"  # RopSeekRowFractional: the end
        "38 00 00"  # RopAbort
    )
    (answer,) = ten.client.raw(batch.pack(requests, [ten.handle]))
    expected = bytes.fromhex(
        "12 00 00000000 00"
        "18 00 00000000 00 02000000"
        "17 00 00000000 02000000 0A000000"
        "15 00 00000000 01 0100 00 730032000000"
        "16 00 00000000 00"
        "1A 00 00000000"
        "38 00 14010480"
    )
    assert answer == batch.pack(expected, [ten.handle])


@pytest.mark.covers(
    "MS-OXCROPS_2.2.5.2", "MS-OXCROPS_2.2.5.2.1", "MS-OXCROPS_2.2.5.2.2",
    "MS-OXCROPS_2.2.5.3", "MS-OXCROPS_2.2.5.3.1", "MS-OXCROPS_2.2.5.3.2",
    "MS-OXCROPS_2.2.5.9", "MS-OXCROPS_2.2.5.9.1", "MS-OXCROPS_2.2.5.9.2",
    "MS-OXCROPS_2.2.5.10", "MS-OXCROPS_2.2.5.10.1", "MS-OXCROPS_2.2.5.10.2",
    "MS-OXCROPS_2.2.5.11", "MS-OXCROPS_2.2.5.11.1", "MS-OXCROPS_2.2.5.11.2", "MS-OXCROPS_2.2.5.13",
    "MS-OXCROPS_2.2.5.13.1", "MS-OXCROPS_2.2.5.13.2",

    "MS-OXCTABL_R83", "MS-OXCTABL_R84", "MS-OXCTABL_R93", "MS-OXCTABL_R94", "MS-OXCTABL_R211",
    "MS-OXCTABL_R212", "MS-OXCTABL_R213", "MS-OXCTABL_R181", "MS-OXCTABL_R186", "MS-OXCTABL_R189",
    "MS-OXCTABL_R192", "MS-OXCTABL_R182", "MS-OXCTABL_R237", "MS-OXCTABL_R242", "MS-OXCTABL_R244",
)  # fmt: skip
def test_the_bytes_of_more_requests(ten: Grid) -> None:
    requests = bytes.fromhex(
        "13 00 00 00 0100 0000 0000 0300080E 01"  # RopSortTable: PidTagMessageSize, descending
        "14 00 00 00 0E00 04 04 1F003700 1F003700 73003300 0000"  # RopRestrict: PidTagSubject is s3
    ).replace(bytes.fromhex("0E00 04"), bytes.fromhex("1000 04")) + bytes.fromhex(
        "1B 00 00"  # RopCreateBookmark
        "19 00 00 0400 01000000 FEFFFFFF 01"  # RopSeekRowBookmark: two back
        "4F 00 00 00 1000 04 04 1F003700 1F003700 730033000000 00 0000"  # RopFindRow, from the beginning
    )
    (answer,) = ten.client.raw(batch.pack(requests, [ten.handle]))
    expected = bytes.fromhex(
        "13 00 00000000 00"
        "14 00 00000000 00"
        "1B 00 00000000 0400 01000000"
        "19 00 00000000 00 01 00000000"
        "4F 00 00000000 00 01 00 730033000000"
    )
    assert answer == batch.pack(expected, [ten.handle])


# -- columns ------------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCTABL_R44", "MS-OXCTABL_R50", "MS-OXCTABL_R813", "MS-OXCTABL_R814", "MS-OXCTABL_R426",
    "MS-OXCTABL_R427", "MS-OXCTABL_R824", "MS-OXCTABL_R472", "MS-OXCTABL_R540", "MS-OXCTABL_R116",
    "MS-OXCTABL_R65", "MS-OXCTABL_R76", "MS-OXCTABL_R77", "MS-OXCTABL_R79", "MS-OXCTABL_R81",
    "MS-OXCTABL_R617", "MS-OXCTABL_R618", "MS-OXCTABL_R619", "MS-OXCTABL_R620", "MS-OXCTABL_R6",
    "MS-OXCTABL_R10", "MS-OXCTABL_R13", "MS-OXCTABL_R19", "MS-OXCTABL_R15", "MS-OXCTABL_R2699",
    "MS-OXCTABL_R2691", "MS-OXCTABL_R121", "MS-OXCTABL_R122",
)  # fmt: skip
def test_rows_have_the_columns_that_were_set(office: Office, anna: Entry, client: Client, inbox: int) -> None:
    row = insert(office, anna, "x" * 600, props={tags.PidTagSenderEntryId: b"e" * 600})
    columns = (tags.PidTagSenderEntryId, MID, INST, tags.PidTagInstanceNum, TYPE, tags.PidTagDepth, SUBJECT)
    made = contents(client, inbox, columns=columns)
    wanted = (b"e" * 510, to_int64(row.mid), to_int64(row.mid), 0, 1, 0, "x" * 255)
    assert made.rows() == [wanted]
    found = made.find(r.Exist(MID)).body
    assert made.cells(found.row_data, 1) == [wanted]
    made.show(0x3FEA001F, SUBJECT)  # one that the message lacks makes the row a flagged one
    made.seek(0)
    assert made.query().body.row_data[:6] == b"\x01\x0a\x0f\x01\x04\x80"
    made.seek(0)
    assert made.rows() == [(PropertyError(ec.ecNotFound), "x" * 255)]
    made.show(tags.PidTagSubject & 0xFFFF0000 | 0x1E)
    made.seek(0)
    assert made.query().body.row_data == b"\0" + b"x" * 255 + b"\0"


@pytest.mark.covers(
    "MS-OXCTABL_R768", "MS-OXCTABL_R827",
    "MS-OXCTABL_R428", "MS-OXCTABL_R826", "MS-OXCTABL_R8261", "MS-OXCTABL_R8263", "MS-OXCTABL_R8264",
    "MS-OXCTABL_R8265", "MS-OXCTABL_R8266", "MS-OXCTABL_R8267", "MS-OXCTABL_R8271", "MS-OXCTABL_R8273",
    "MS-OXCTABL_R8274", "MS-OXCTABL_R8275", "MS-OXCTABL_R8276", "MS-OXCTABL_R8277", "MS-OXCTABL_R476",
    "MS-OXCTABL_R471", "MS-OXCTABL_R539", "MS-OXCTABL_R866", "MS-OXCTABL_R867",
    "MS-OXCROPS_2.2.5.4.3",
)  # fmt: skip
def test_what_needs_columns_and_has_none(client: Client, inbox: int) -> None:
    bare = contents(client, inbox, columns=())
    for rop, request in (
        (query_rows.ROP, query_rows.Request(query_rows.QueryRowsFlags(0), True, 1)),
        (find_row.ROP, find_row.Request(0, r.pack(r.Exist(MID), client.session.form), 0, b"")),
        (expand_row.ROP, expand_row.Request(1, 5)),
        (collapse_row.ROP, collapse_row.Request(5)),
        (free_bookmark.ROP, free_bookmark.Request(b"\1\0\0\0")),
        (seek_row_bookmark.ROP, seek_row_bookmark.Request(b"\1\0\0\0", 1, True)),
        (get_collapse_state.ROP, get_collapse_state.Request(0, 0)),
        (set_collapse_state.ROP, set_collapse_state.Request(b"x")),
    ):
        assert bare.ask(rop, request).code == ec.ecNullObject
    assert bare.position() == (0, 0)


@pytest.mark.covers(
    "MS-OXCTABL_R435", "MS-OXCTABL_R429", "MS-OXCTABL_R610",
    "MS-OXCROPS_2.2.5.1.3",
)  # fmt: skip
@pytest.mark.parametrize(
    "wrong", [(), (0x00370000,), (0x0037000A,), (0x003700FF,), (SUBJECT, 0x0037301F - 0x1000)]
)
def test_columns_that_are_none_leave_the_table_without(ten: Grid, wrong: tuple[int, ...]) -> None:
    reply = ten.ask(set_columns.ROP, set_columns.Request(0, wrong))
    assert (reply.id, reply.index, reply.code) == (0x12, 0, ec.ecInvalidParam)
    assert ten.query().code == ec.ecNullObject
    assert len(ten.show(SUBJECT).rows()) == 10


@pytest.mark.covers(
    "MS-OXCROPS_R1414",
)
@pytest.mark.covers(
    "MS-OXCTABL_R216", "MS-OXCTABL_R217", "MS-OXCTABL_R220", "MS-OXCTABL_R221", "MS-OXCTABL_R222",
    "MS-OXCTABL_R530", "MS-OXCTABL_R531", "MS-OXCTABL_R875", "MS-OXCTABL_R876",
)  # fmt: skip
def test_all_columns(ten: Grid, client: Client) -> None:
    found = ten.do(query_columns_all.ROP).property_tags
    assert {SUBJECT, MID, INST, TYPE, tags.PidTagMessageClass} <= set(found)
    folders = hierarchy(client, opened(client, client.logon(), Special.IPM_SUBTREE))
    assert tags.PidTagDisplayName in folders.do(query_columns_all.ROP).property_tags


# -- rows and the cursor ------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCTABL_R95", "MS-OXCTABL_R108", "MS-OXCTABL_R112", "MS-OXCTABL_R118", "MS-OXCTABL_R119",
    "MS-OXCTABL_R462", "MS-OXCTABL_R463", "MS-OXCTABL_R467", "MS-OXCTABL_R468", "MS-OXCTABL_R469",
    "MS-OXCTABL_R470", "MS-OXCTABL_R724", "MS-OXCTABL_R725", "MS-OXCTABL_R726", "MS-OXCTABL_R784",
    "MS-OXCTABL_R896", "MS-OXCTABL_R27", "MS-OXCTABL_R28", "MS-OXCTABL_R29",
)  # fmt: skip
def test_querying_rows(ten: Grid) -> None:
    reply = ten.query(4)
    assert (reply.body.origin, reply.body.row_count) == (1, 4)
    assert ten.cells(reply.body.row_data, 4) == ["s0", "s1", "s2", "s3"]
    assert ten.rows(2, flags=1) == ["s4", "s5"]
    assert ten.rows(2) == ["s4", "s5"]
    reply = ten.query(100)
    assert (reply.body.origin, reply.body.row_count) == (2, 4)
    reply = ten.query(100)
    assert (reply.body.origin, reply.body.row_count, reply.body.row_data) == (2, 0, b"")
    assert ten.rows(3, forward=False) == ["s7", "s8", "s9"]
    assert ten.rows(3, forward=False) == ["s4", "s5", "s6"]
    reply = ten.query(9, forward=False)
    assert (reply.body.origin, reply.body.row_count) == (0, 4)
    assert ten.query(1, forward=False).body.row_count == 0
    assert ten.rows(0) == []
    assert ten.position() == (0, 10)


@pytest.mark.covers(
    "MS-OXCTABL_R464", "MS-OXCTABL_R465", "MS-OXCTABL_R466", "MS-OXCTABL_R478",
)  # fmt: skip
def test_rows_that_do_not_fit(ten: Grid) -> None:
    request = query_rows.Request(query_rows.QueryRowsFlags(0), True, 0xFFFF)
    ask = Ask(query_rows.ROP, request)
    result = ten.client.batch([ask], [ten.handle], limit=2 + 4 + 6 + 3 + 7 * 3 + 5)
    assert result.replies[0].body.row_count == 3
    assert ten.position() == (3, 10)
    result = ten.client.batch([ask], [ten.handle], limit=2 + 4 + 6 + 3 + 6)
    assert result.replies[0].code == ec.ecBufferTooSmall
    assert ten.position() == (3, 10)
    ten.show(*[SUBJECT] * 40)
    limit = 2 + 4 + 2 * 6 + 8 + 3 + 100
    result = ten.client.batch([Ask(query_position.ROP, Empty()), ask], [ten.handle], limit=limit)
    assert len(result.replies) == 1
    assert result.given_back == ask.pack()


def test_rows_go_on_in_chained_responses(ten: Grid) -> None:
    flags = query_rows.QueryRowsFlags.ENABLE_PACKED_BUFFERS
    ask = Ask(query_rows.ROP, query_rows.Request(flags, True, 8))
    data = batch.pack(ask.pack(), [ten.handle])
    assert len(ten.client.raw(data, 32 << 10, chain=True)) == 1
    ten.seek(0)
    ten.show(SUBJECT, *([SENDER] * 999))  # about 6 kB a row
    buffers = ten.client.raw(data, 128 << 10, chain=True)
    assert len(buffers) > 1
    counts = [struct.unpack_from("<H", each, 2 + 6 + 1)[0] for each in buffers]
    assert sum(counts) == 8
    assert ten.position() == (8, 10)


@pytest.mark.covers(
    "MS-OXCTABL_R140", "MS-OXCTABL_R141", "MS-OXCTABL_R148", "MS-OXCTABL_R150", "MS-OXCTABL_R152",
    "MS-OXCTABL_R154", "MS-OXCTABL_R155", "MS-OXCTABL_R157", "MS-OXCTABL_R160", "MS-OXCTABL_R161",
    "MS-OXCTABL_R163", "MS-OXCTABL_R496", "MS-OXCTABL_R497", "MS-OXCTABL_R133", "MS-OXCTABL_R137",
    "MS-OXCTABL_R139", "MS-OXCTABL_R491",
)  # fmt: skip
def test_seeking(ten: Grid) -> None:
    for origin, rows, less, moved, at in (
        (0, 4, False, 4, 4),
        (1, 3, False, 3, 7),
        (1, -2, False, -2, 5),
        (1, -50, True, -5, 0),
        (2, -1, False, -1, 9),
        (2, 1, True, 0, 10),
        (0, -1, True, 0, 0),
        (0, 0x7FFFFFFF, True, 10, 10),
    ):
        body = ten.seek(rows, origin)
        assert (body.has_sought_less, body.rows_sought) == (less, moved)
        assert ten.position() == (at, 10)
    assert ten.ask(seek_row.ROP, seek_row.Request(3, 0, True)).code == ec.ecInvalidParam


@pytest.mark.covers(
    "MS-OXCTABL_R198", "MS-OXCTABL_R203", "MS-OXCTABL_R204", "MS-OXCTABL_R513", "MS-OXCTABL_R514",
    "MS-OXCTABL_R515", "MS-OXCTABL_R516", "MS-OXCTABL_R910", "MS-OXCTABL_R912", "MS-OXCTABL_R914",
)  # fmt: skip
def test_seeking_a_share(ten: Grid) -> None:
    for numerator, denominator, at in ((1, 2, 5), (0, 7, 0), (7, 7, 10), (9, 7, 10), (3, 10, 3)):
        ten.do(seek_row_fractional.ROP, seek_row_fractional.Request(numerator, denominator))
        assert ten.position() == (at, 10)
    reply = ten.ask(seek_row_fractional.ROP, seek_row_fractional.Request(1, 0))
    assert reply.code == ec.ecInvalidBookmark


# -- bookmarks ----------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCROPS_R1495",
)
@pytest.mark.covers(
    "MS-OXCTABL_R208", "MS-OXCTABL_R522", "MS-OXCTABL_R165", "MS-OXCTABL_R166", "MS-OXCTABL_R503",
    "MS-OXCTABL_R504", "MS-OXCTABL_R183", "MS-OXCTABL_R184", "MS-OXCTABL_R185", "MS-OXCTABL_R187",
    "MS-OXCTABL_R188", "MS-OXCTABL_R190", "MS-OXCTABL_R193", "MS-OXCTABL_R194", "MS-OXCTABL_R506",
    "MS-OXCTABL_R176", "MS-OXCTABL_R178", "MS-OXCTABL_R180", "MS-OXCTABL_R238", "MS-OXCTABL_R239",
    "MS-OXCTABL_R240", "MS-OXCTABL_R241", "MS-OXCTABL_R538", "MS-OXCTABL_R6081", "MS-OXCTABL_R247",
    "MS-OXCTABL_R2481", "MS-OXCTABL_R5521", "MS-OXCTABL_R545", "MS-OXCTABL_R549", "MS-OXCTABL_R548",
    "MS-OXCTABL_R511",
)  # fmt: skip
def test_bookmarks(office: Office, anna: Entry, ten: Grid) -> None:
    ten.seek(5)
    mark = ten.do(create_bookmark.ROP).bookmark
    go = seek_row_bookmark.Request
    body = ten.do(seek_row_bookmark.ROP, go(mark, 2, True))
    assert (body.row_no_longer_visible, body.has_sought_less, body.rows_sought) == (False, False, 2)
    assert ten.position() == (7, 10)
    body = ten.do(seek_row_bookmark.ROP, go(mark, -9, True))
    assert (body.has_sought_less, body.rows_sought) == (True, -5)
    insert(office, anna, "s4.5", size=4)
    ten.do(seek_row_bookmark.ROP, go(mark, 0, True))
    assert ten.rows(1) == ["s5"]
    found = ten.find(r.Exist(SUBJECT), 3, mark)
    assert not found.body.row_no_longer_visible
    assert ten.cells(found.body.row_data, 1) == ["s5"]
    soft_delete(office, anna, row_of(office, anna, "s5"))
    found = ten.find(r.Exist(SUBJECT), 3, mark)
    assert found.body.row_no_longer_visible
    assert ten.cells(found.body.row_data, 1) == ["s6"]
    found = ten.find(r.Exist(SUBJECT), 3, mark, backwards=True)
    assert ten.cells(found.body.row_data, 1) == ["s4.5"]
    body = ten.do(seek_row_bookmark.ROP, go(mark, 0, True))
    assert body.row_no_longer_visible
    assert ten.rows(1) == ["s6"]
    ten.do(free_bookmark.ROP, free_bookmark.Request(mark))
    assert ten.ask(seek_row_bookmark.ROP, go(mark, 0, True)).code == ec.ecInvalidBookmark
    assert ten.ask(free_bookmark.ROP, free_bookmark.Request(mark)).code == ec.ecInvalidBookmark
    assert ten.ask(free_bookmark.ROP, free_bookmark.Request(b"")).code == ec.ecInvalidBookmark


def row_of(office: Office, user: Entry, subject: str) -> Row:
    """The message with a subject."""
    with office.store.read() as txn:
        rows = list(store_contents.rows(txn, user.mailbox, Special.INBOX))
        return next(row for row in rows if messages.load(txn, user.mailbox, row.mid).get(SUBJECT) == subject)


@pytest.mark.covers(
    "MS-OXCTABL_R439", "MS-OXCTABL_R453", "MS-OXCTABL_R505", "MS-OXCTABL_R870", "MS-OXCTABL_R871",
    "MS-OXCTABL_R904", "MS-OXCTABL_R906", "MS-OXCTABL_R908", "MS-OXCTABL_R898", "MS-OXCTABL_R900",
    "MS-OXCTABL_R902", "MS-OXCTABL_R537", "MS-OXCTABL_R868", "MS-OXCTABL_R869", "MS-OXCTABL_R863",
    "MS-OXCTABL_R864", "MS-OXCTABL_R865", "MS-OXCTABL_R257", "MS-OXCTABL_R562",
)  # fmt: skip
@pytest.mark.parametrize("way", ["sort", "restrict", "reset"])
def test_what_voids_bookmarks(ten: Grid, way: str) -> None:
    ten.seek(5)
    mark = ten.do(create_bookmark.ROP).bookmark
    if way == "sort":
        assert ten.sort((SUBJECT, UP)).code == 0
    elif way == "restrict":
        assert ten.restrict(r.Exist(SUBJECT)).code == 0
    else:
        ten.do(reset_table.ROP)
        ten.show(SUBJECT)
    assert ten.position() == (0, 10)
    ask = ten.ask(seek_row_bookmark.ROP, seek_row_bookmark.Request(mark, 0, True))
    assert ask.code == ec.ecInvalidBookmark
    assert ten.find(r.Exist(SUBJECT), 3, mark).code == ec.ecInvalidBookmark


@pytest.mark.covers("MS-OXCTABL_R248", "MS-OXCTABL_R524", "MS-OXCTABL_R546", "MS-OXCTABL_R552")
def test_a_released_table_is_gone_with_its_bookmarks(ten: Grid) -> None:
    mark = ten.do(create_bookmark.ROP).bookmark
    ten.client.batch([Ask(release.ROP, Empty())], [ten.handle])
    for rop, request in (
        (seek_row_bookmark.ROP, seek_row_bookmark.Request(mark, 0, True)),
        (free_bookmark.ROP, free_bookmark.Request(mark)),
    ):
        assert ten.ask(rop, request).code == ec.ecNullObject


# -- sorting, restricting, resetting ------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCTABL_R56", "MS-OXCTABL_R76", "MS-OXCTABL_R77", "MS-OXCTABL_R437", "MS-OXCTABL_R438",
    "MS-OXCTABL_R440", "MS-OXCTABL_R447",
)  # fmt: skip
def test_sorting(ten: Grid) -> None:
    assert ten.sort((SIZE, DOWN)).body.table_status == 0
    assert ten.rows() == [f"s{n}" for n in range(9, -1, -1)]
    assert ten.sort((SUBJECT, UP)).code == 0
    assert ten.rows() == [f"s{n}" for n in range(10)]
    assert ten.sort().code == 0
    assert sorted(ten.rows()) == [f"s{n}" for n in range(10)]


@pytest.mark.covers(
    "MS-OXCTABL_R442", "MS-OXCTABL_R443", "MS-OXCTABL_R559",
    "MS-OXCROPS_2.2.5.2.3",
)  # fmt: skip
def test_orders_that_cannot_be(ten: Grid) -> None:
    for reply in (
        ten.sort((SIZE, 7)),
        ten.sort((SIZE, UP), categories=2),
        ten.sort((SIZE, UP), categories=0, expanded=1),
        ten.sort((0x0037000A, UP)),
        ten.sort(*[(SIZE, UP)] * 65),
    ):
        assert (reply.id, reply.index, reply.code) == (0x13, 0, ec.ecInvalidParam)
        assert ten.query().code == ec.ecNullObject
    ten.do(reset_table.ROP)
    assert len(ten.show(SUBJECT).rows()) == 10
    assert ten.sort((SIZE, 7)).code == ec.ecInvalidParam
    assert ten.sort((SIZE, UP)).code == 0
    assert ten.rows(1) == ["s0"]


@pytest.mark.covers(
    "MS-OXCTABL_R85", "MS-OXCTABL_R86", "MS-OXCTABL_R87", "MS-OXCTABL_R117", "MS-OXCTABL_R451",
    "MS-OXCTABL_R452", "MS-OXCTABL_R454", "MS-OXCTABL_R455", "MS-OXCTABL_R456", "MS-OXCTABL_R459",
    "MS-OXCTABL_R833", "MS-OXCTABL_R834",
    "MS-OXCROPS_2.2.5.3.3",
)  # fmt: skip
def test_restricting(ten: Grid, client: Client) -> None:
    assert ten.restrict(r.Or((named("s3"), named("S7")))).code == 0
    assert ten.rows() == ["s3", "s7"]
    assert ten.position() == (2, 2)
    assert ten.restrict(None).code == 0
    assert len(ten.rows()) == 10
    for data, code in (
        (b"\xff", ec.ecInvalidParam),
        (b"\x08", ec.ecInvalidParam),
        (b"\x08\x1f\x00\x37\x00\x00", ec.ecInvalidParam),
        (b"\x02" * 200 + b"\x08\x1f\x00\x37\x00", ec.ecTooComplex),
        (b"\x00\xff\xff" * 9000, ec.ecInvalidParam),
    ):
        reply = ten.ask(restrict.ROP, restrict.Request(0, data))
        assert (reply.id, reply.index, reply.code) == (0x14, 0, code)
        assert ten.query().code == ec.ecNullObject
    ten.do(reset_table.ROP)
    assert len(ten.show(SUBJECT).rows()) == 10
    folders = hierarchy(client, opened(client, client.logon(), Special.IPM_SUBTREE))
    assert folders.restrict(r.Property(r.RelOp.EQ, folders.columns[0], folders.columns[0], "Inbox")).code == 0
    assert folders.rows() == ["Inbox"]


@pytest.mark.covers(
    "MS-OXCROPS_R1516",
)
@pytest.mark.covers(
    "MS-OXCTABL_R256", "MS-OXCTABL_R258", "MS-OXCTABL_R553", "MS-OXCTABL_R554", "MS-OXCTABL_R555",
    "MS-OXCTABL_R556", "MS-OXCTABL_R557", "MS-OXCTABL_R558", "MS-OXCTABL_R560", "MS-OXCTABL_R561",
    "MS-OXCTABL_R564",
)  # fmt: skip
def test_resetting(ten: Grid) -> None:
    ten.restrict(named("s3"))
    ten.rows()
    ten.do(reset_table.ROP)
    assert ten.query().code == ec.ecNullObject
    assert ten.position() == (0, 10)
    assert len(ten.show(SUBJECT).rows()) == 10


@pytest.mark.covers(
    "MS-OXCTABL_R223", "MS-OXCTABL_R225", "MS-OXCTABL_R226", "MS-OXCTABL_R243", "MS-OXCTABL_R245",
    "MS-OXCTABL_R246", "MS-OXCTABL_R534", "MS-OXCTABL_R535", "MS-OXCTABL_R536", "MS-OXCTABL_R542",
    "MS-OXCTABL_R858", "MS-OXCTABL_R859", "MS-OXCTABL_R544001",
)  # fmt: skip
def test_finding(ten: Grid, client: Client) -> None:
    found = ten.find(r.Content(2, r.FuzzyFlags.IGNORE_CASE, SUBJECT, SUBJECT, "S6"))
    assert (found.body.row_no_longer_visible, found.body.has_row_data) == (False, True)
    assert ten.cells(found.body.row_data, 1) == ["s6"]
    assert ten.position() == (6, 10)
    assert ten.find(named("s3"), 1).code == ec.ecNotFound
    ten.seek(6)
    assert ten.cells(ten.find(named("s3"), 1, backwards=True).body.row_data, 1) == ["s3"]
    assert ten.find(named("s3"), 2).code == ec.ecNotFound
    assert ten.cells(ten.find(r.Exist(SUBJECT), 2, backwards=True).body.row_data, 1) == ["s9"]
    data = r.pack(named("s3"), client.session.form)
    for request in (
        find_row.Request(2, data, 0, b""),
        find_row.Request(0, data, 4, b""),
        find_row.Request(0, b"", 0, b""),
    ):
        assert ten.ask(find_row.ROP, request).code == ec.ecInvalidParam
    ask = Ask(find_row.ROP, find_row.Request(0, data, 0, b""))
    ten.show(*[SUBJECT] * 40)
    result = client.batch([ask], [ten.handle], limit=100)
    assert (result.replies[0].body.has_row_data, result.replies[0].body.row_data) == (False, b"")
    folders = hierarchy(client, opened(client, client.logon(), Special.IPM_SUBTREE))
    name = folders.columns[0]
    found = folders.find(r.Property(r.RelOp.EQ, name, name, "Drafts"))
    assert folders.cells(found.body.row_data, 1) == ["Drafts"]


# -- categories ---------------------------------------------------------------------------------------------


@pytest.fixture
def grouped(office: Office, anna: Entry, client: Client, inbox: int) -> Grid:
    """Two categories by sender, sorted by subject inside; ann has 3 rows, bob 2."""
    for n, (sender, seen) in enumerate(
        (("ann", True), ("bob", False), ("ann", False), ("bob", False), ("ann", True))
    ):
        insert(office, anna, f"s{n}", size=n, seen=seen, props={SENDER: sender})
    columns = (
        TYPE,
        SENDER,
        SUBJECT,
        INST,
        tags.PidTagContentCount,
        tags.PidTagContentUnreadCount,
        tags.PidTagDepth,
    )
    return contents(client, inbox, columns=columns)


@pytest.mark.covers(
    "MS-OXCROPS_R1532",
    "MS-OXCROPS_R1569",
)
@pytest.mark.covers(
    "MS-OXCTABL_R17", "MS-OXCTABL_R18", "MS-OXCTABL_R20", "MS-OXCTABL_R21", "MS-OXCTABL_R22",
    "MS-OXCTABL_R23", "MS-OXCTABL_R622", "MS-OXCTABL_R623", "MS-OXCTABL_R66", "MS-OXCTABL_R67",
    "MS-OXCTABL_R71", "MS-OXCTABL_R72", "MS-OXCTABL_R272", "MS-OXCTABL_R275", "MS-OXCTABL_R278",
    "MS-OXCTABL_R279", "MS-OXCTABL_R280", "MS-OXCTABL_R281", "MS-OXCTABL_R283", "MS-OXCTABL_R287",
    "MS-OXCTABL_R567", "MS-OXCTABL_R568", "MS-OXCTABL_R570", "MS-OXCTABL_R571", "MS-OXCTABL_R573",
    "MS-OXCTABL_R574", "MS-OXCTABL_R576", "MS-OXCTABL_R577", "MS-OXCTABL_R825",
)  # fmt: skip
def test_categories(grouped: Grid) -> None:
    assert grouped.sort((SENDER, UP), (SUBJECT, UP), categories=1, expanded=0).code == 0
    rows = grouped.rows()
    assert [(row[0], row[1], row[4], row[5], row[6]) for row in rows] == [
        (4, "ann", 3, 1, 0),
        (4, "bob", 2, 2, 0),
    ]
    ann, bob = rows[0][3] & (1 << 64) - 1, rows[1][3] & (1 << 64) - 1
    body = grouped.do(expand_row.ROP, expand_row.Request(2, ann))
    assert (body.expanded_row_count, body.row_count) == (3, 2)
    shown = grouped.cells(body.row_data, 2)
    assert [(row[0], row[2], row[6]) for row in shown] == [(1, "s0", 1), (1, "s2", 1)]
    assert grouped.do(expand_row.ROP, expand_row.Request(0, bob)).row_count == 0
    grouped.seek(0)
    assert [row[0] for row in grouped.rows()] == [3, 1, 1, 1, 3, 1, 1]
    assert grouped.ask(expand_row.ROP, expand_row.Request(9, ann)).code == ec.ecNotCollapsed
    assert grouped.ask(expand_row.ROP, expand_row.Request(9, 12345)).code == ec.ecNotFound
    assert grouped.ask(collapse_row.ROP, collapse_row.Request(12345)).code == ec.ecNotFound
    assert grouped.do(collapse_row.ROP, collapse_row.Request(ann)).collapsed_row_count == 3
    assert grouped.ask(collapse_row.ROP, collapse_row.Request(ann)).code == ec.ecNotExpanded
    grouped.seek(0)
    assert [row[0] for row in grouped.rows()] == [4, 3, 1, 1]
    assert grouped.sort((SENDER, UP), (SUBJECT, DOWN), categories=1, expanded=1).code == 0
    rows = grouped.rows()
    assert [row[0] for row in rows] == [3, 1, 1, 1, 3, 1, 1]
    assert [row[2] for row in rows if row[0] == 1] == ["s4", "s2", "s0", "s3", "s1"]


@pytest.mark.covers("MS-OXCTABL_R81", "MS-OXCTABL_R82")
def test_categories_by_their_largest(grouped: Grid) -> None:
    assert grouped.sort((SENDER, UP), (SIZE, MAXIMUM), (SUBJECT, UP), categories=1, expanded=0).code == 0
    assert [row[1] for row in grouped.rows()] == ["bob", "ann"]


@pytest.mark.covers(
    "MS-OXCROPS_R1598",
    "MS-OXCROPS_R1633",
)
@pytest.mark.covers(
    "MS-OXCTABL_R288", "MS-OXCTABL_R289", "MS-OXCTABL_R294", "MS-OXCTABL_R301", "MS-OXCTABL_R304",
    "MS-OXCTABL_R305", "MS-OXCTABL_R307", "MS-OXCTABL_R308", "MS-OXCTABL_R314", "MS-OXCTABL_R315",
    "MS-OXCTABL_R579", "MS-OXCTABL_R580", "MS-OXCTABL_R581", "MS-OXCTABL_R582", "MS-OXCTABL_R585",
    "MS-OXCTABL_R586", "MS-OXCTABL_R587", "MS-OXCTABL_R588",
)  # fmt: skip
def test_collapse_states(grouped: Grid, client: Client, inbox: int) -> None:
    assert grouped.sort((SENDER, UP), (SUBJECT, UP), categories=1, expanded=0).code == 0
    bob = grouped.rows()[1][3] & (1 << 64) - 1
    leaf = grouped.cells(grouped.do(expand_row.ROP, expand_row.Request(2, bob)).row_data, 2)[1]
    unsigned = leaf[3] & (1 << 64) - 1
    state = grouped.do(get_collapse_state.ROP, get_collapse_state.Request(unsigned, 0)).collapse_state
    other = contents(client, inbox, columns=grouped.columns)
    assert other.sort((SENDER, UP), (SUBJECT, UP), categories=1, expanded=0).code == 0
    mark = other.do(set_collapse_state.ROP, set_collapse_state.Request(state)).bookmark
    assert other.rows(1)[0][2] == leaf[2]
    other.seek(0)
    assert [row[0] for row in other.rows()] == [4, 3, 1, 1]
    other.do(seek_row_bookmark.ROP, seek_row_bookmark.Request(mark, 0, True))
    assert other.rows(1)[0][2] == leaf[2]
    for wrong in (b"", b"nonsense", state[:-1], state + b"x"):
        reply = other.ask(set_collapse_state.ROP, set_collapse_state.Request(wrong))
        assert reply.code == ec.ecInvalidParam


@pytest.mark.covers("MS-OXCTABL_R433", "MS-OXCTABL_R448", "MS-OXCTABL_R8", "MS-OXCTABL_R12")
def test_multi_value_instances(office: Office, anna: Entry, client: Client, inbox: int) -> None:
    words = 0x8001101F
    row = insert(office, anna, "two", props={words: ("red", "blue")})
    insert(office, anna, "one", props={words: ("green",)})
    made = contents(client, inbox, columns=(words | 0x2000, SUBJECT, INST, tags.PidTagInstanceNum))
    assert made.sort((words | 0x2000, UP)).code == 0
    rows = made.rows()
    assert [each[:2] for each in rows] == [("blue", "two"), ("green", "one"), ("red", "two")]
    assert rows[0][2] == rows[2][2] == to_int64(row.mid)
    assert rows[0][3] != rows[2][3]


# -- which tables, and what is no table ---------------------------------------------------------------------

EVERY = (
    (set_columns.ROP, set_columns.Request(0, (SUBJECT,))),
    (sort_table.ROP, sort_table.Request(0, 0, 0, 0, ())),
    (restrict.ROP, restrict.Request(0, b"")),
    (query_rows.ROP, query_rows.Request(query_rows.QueryRowsFlags(0), True, 1)),
    (abort.ROP, Empty()),
    (get_status.ROP, Empty()),
    (query_position.ROP, Empty()),
    (seek_row.ROP, seek_row.Request(0, 0, True)),
    (seek_row_bookmark.ROP, seek_row_bookmark.Request(b"", 0, True)),
    (seek_row_fractional.ROP, seek_row_fractional.Request(0, 1)),
    (create_bookmark.ROP, Empty()),
    (query_columns_all.ROP, Empty()),
    (find_row.ROP, find_row.Request(0, b"\x08\x1f\x00\x37\x00", 0, b"")),
    (free_bookmark.ROP, free_bookmark.Request(b"")),
    (reset_table.ROP, Empty()),
    (expand_row.ROP, expand_row.Request(0, 0)),
    (collapse_row.ROP, collapse_row.Request(0)),
    (get_collapse_state.ROP, get_collapse_state.Request(0, 0)),
    (set_collapse_state.ROP, set_collapse_state.Request(b"")),
)


@pytest.mark.covers(
    "MS-OXCTABL_R45", "MS-OXCTABL_R57", "MS-OXCTABL_R88", "MS-OXCTABL_R614", "MS-OXCTABL_R124",
    "MS-OXCTABL_R129", "MS-OXCTABL_R612", "MS-OXCTABL_R142", "MS-OXCTABL_R168", "MS-OXCTABL_R200",
    "MS-OXCTABL_R209", "MS-OXCTABL_R218", "MS-OXCTABL_R682", "MS-OXCTABL_R249", "MS-OXCTABL_R259",
    "MS-OXCTABL_R274", "MS-OXCTABL_R284", "MS-OXCTABL_R290", "MS-OXCTABL_R306", "MS-OXCTABL_R436",
    "MS-OXCTABL_R450", "MS-OXCTABL_R461", "MS-OXCTABL_R477", "MS-OXCTABL_R486", "MS-OXCTABL_R490",
    "MS-OXCTABL_R495", "MS-OXCTABL_R502", "MS-OXCTABL_R512", "MS-OXCTABL_R521", "MS-OXCTABL_R529",
    "MS-OXCTABL_R533", "MS-OXCTABL_R544", "MS-OXCTABL_R551", "MS-OXCTABL_R566", "MS-OXCTABL_R572",
    "MS-OXCTABL_R578", "MS-OXCTABL_R584", "MS-OXCTABL_R590", "MS-OXCTABL_R501", "MS-OXCTABL_R510",
    "MS-OXCTABL_R528",
)  # fmt: skip
def test_what_is_no_table(client: Client, inbox: int) -> None:
    for rop, request in EVERY:
        result = client.batch([Ask(rop, request), Ask(open_folder.ROP, INBOX, (0, 1))], [inbox])
        assert result.replies[0].code == ec.ecNotSupported
        ends = rop in (seek_row.ROP, seek_row_bookmark.ROP, create_bookmark.ROP)
        assert len(result.replies) == 1 if ends else 2


INBOX = open_folder.Request(Special.INBOX, open_folder.OpenModeFlags(0))


@pytest.mark.covers(
    "MS-OXCTABL_R432", "MS-OXCTABL_R829", "MS-OXCTABL_R831", "MS-OXCTABL_R474", "MS-OXCTABL_R835",
    "MS-OXCTABL_R837", "MS-OXCTABL_R488", "MS-OXCTABL_R840", "MS-OXCTABL_R842", "MS-OXCTABL_R493",
    "MS-OXCTABL_R844", "MS-OXCTABL_R846", "MS-OXCTABL_R499", "MS-OXCTABL_R848", "MS-OXCTABL_R850",
    "MS-OXCTABL_R508", "MS-OXCTABL_R861", "MS-OXCTABL_R852", "MS-OXCTABL_R519", "MS-OXCTABL_R853",
    "MS-OXCTABL_R855", "MS-OXCTABL_R526", "MS-OXCTABL_R862", "MS-OXCTABL_R857", "MS-OXCTABL_R547",
    "MS-OXCTABL_R483", "MS-OXCTABL_R860", "MS-OXCTABL_R839", "MS-OXCTABL_R402", "MS-OXCTABL_R479",
    "MS-OXCTABL_R485", "MS-OXCTABL_R450", "MS-OXCTABL_R566", "MS-OXCROPS_2.2.5.5", "MS-OXCROPS_2.2.5.5.1",
    "MS-OXCROPS_2.2.5.5.3", "MS-OXCROPS_2.2.5.6", "MS-OXCROPS_2.2.5.6.1", "MS-OXCROPS_2.2.5.6.2",
)  # fmt: skip
def test_hierarchy_tables_do_what_they_do(client: Client) -> None:
    made = hierarchy(client, opened(client, client.logon(), Special.IPM_SUBTREE))
    codes = {rop.id: made.ask(rop, request).code for rop, request in EVERY}
    for rop in (sort_table, reset_table, expand_row, collapse_row, get_collapse_state, set_collapse_state):
        assert codes[rop.ROP.id] == ec.ecNotSupported
    for rop in (seek_row_bookmark, free_bookmark):
        assert codes[rop.ROP.id] == ec.ecInvalidBookmark
    assert codes[abort.ROP.id] == ec.ecUnableToAbort
    done = (set_columns, restrict, query_rows, get_status, query_position, seek_row, create_bookmark)
    assert all(codes[rop.ROP.id] == 0 for rop in (*done, query_columns_all, seek_row_fractional))


@pytest.mark.covers(
    "MS-OXCROPS_R602",
    "MS-OXCROPS_R604",
)
@pytest.mark.covers(
    "MS-OXCTABL_R31", "MS-OXCTABL_R41", "MS-OXCTABL_R625", "MS-OXCTABL_R781", "MS-OXCTABL_R43",
    "MS-OXCTABL_R416", "MS-OXCTABL_R797", "MS-OXCTABL_R798", "MS-OXCTABL_R812", "MS-OXCTABL_R770",
    "MS-OXCTABL_R772", "MS-OXCTABL_R774", "MS-OXCTABL_R796", "MS-OXCTABL_R800", "MS-OXCTABL_R802",
    "MS-OXCTABL_R878", "MS-OXCTABL_R881", "MS-OXCTABL_R595", "MS-OXCTABL_R596", "MS-OXCTABL_R597",
    "MS-OXCTABL_R598", "MS-OXCTABL_R600", "MS-OXCTABL_R822", "MS-OXCTABL_R602", "MS-OXCTABL_R882",
    "MS-OXCTABL_R604", "MS-OXCTABL_R883", "MS-OXCTABL_R749", "MS-OXCTABL_R751", "MS-OXCTABL_R885",
    "MS-OXCTABL_R886", "MS-OXCTABL_R810", "MS-OXCTABL_R889", "MS-OXCTABL_R758", "MS-OXCTABL_R760",
    "MS-OXCTABL_R762", "MS-OXCTABL_R764", "MS-OXCTABL_R766", "MS-OXCTABL_R123", "MS-OXCTABL_R126",
    "MS-OXCTABL_R127", "MS-OXCTABL_R128", "MS-OXCTABL_R131", "MS-OXCTABL_R132", "MS-OXCTABL_R487",
    "MS-OXCTABL_R431", "MS-OXCTABL_R446", "MS-OXCTABL_R458",
)  # fmt: skip
def test_asynchronous_flags_are_ignored(ten: Grid) -> None:
    for body in (
        ten.do(set_columns.ROP, set_columns.Request(1, (SUBJECT,))),
        ten.do(sort_table.ROP, sort_table.Request(1, 1, 0, 0, (sort_table.Order(SIZE, DOWN),))),
        ten.do(restrict.ROP, restrict.Request(1, b"")),
        ten.do(get_status.ROP),
    ):
        assert body.table_status == 0
    assert ten.ask(abort.ROP).code == ec.ecUnableToAbort
    assert ten.rows(1) == ["s9"]
