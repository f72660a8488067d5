"""Folder ROPs (MS-OXCFOLD 3.2.5, MS-OXCROPS 2.2.4)."""

import pytest

from appliance.directory.model import Entry
from appliance.mailbox.rights import ROLES
from appliance.mapi import errors as ec
from appliance.mapi import restrictions as r
from appliance.mapi import tags
from appliance.rop import batch
from appliance.rop.batch import NO_HANDLE
from appliance.rop.model import Empty
from appliance.rop.ops import (
    copy_folder,
    create_folder,
    delete_folder,
    delete_messages,
    empty_folder,
    get_contents_table,
    get_hierarchy_table,
    move_copy_messages,
    move_folder,
    release,
    search_criteria,
)
from appliance.store import contents as rows
from appliance.store import folders, permissions
from appliance.store.mailboxes import Special
from tests.rop.kit import Ask, Client
from tests.rop.ops.foldering import (
    copy,
    create,
    criteria,
    delete,
    delete_some,
    empty,
    made,
    move,
    opening,
    search,
    transfer,
    wire,
)
from tests.rop.ops.tabling import SUBJECT, contents, hierarchy, insert, opened
from tests.transport.office import Office

ROOT, TOP, INBOX = Special.ROOT, Special.IPM_SUBTREE, Special.INBOX
SOFT_DELETED = 0x04


@pytest.fixture
def logon(client: Client) -> int:
    return client.logon()


@pytest.fixture
def top(client: Client, logon: int) -> int:
    return opened(client, logon, TOP)


def names(client: Client, folder: int, flags: int = 0) -> list[str]:
    return sorted(hierarchy(client, folder, flags).rows())


def subjects(client: Client, folder: int, flags: int = 0) -> list[str]:
    return sorted(contents(client, folder, flags).rows())


def grant(office: Office, owner: Entry, fid: int, member: Entry, role: str) -> None:
    office.write(lambda txn: permissions.put(txn, owner.mailbox, fid, member.id, ROLES[role]))


# -- layouts ------------------------------------------------------------------------------------------------


def exchange(client: Client, request: str, handles: list[int]) -> tuple[bytes, list[int]]:
    """What a buffer written by hand is answered with: the responses and the handles."""
    (answer,) = client.raw(batch.pack(bytes.fromhex(request), handles))
    size = int.from_bytes(answer[:2], "little")
    rest = answer[size:]
    return answer[2:size], [int.from_bytes(rest[at : at + 4], "little") for at in range(0, len(rest), 4)]


@pytest.mark.covers(
    "MS-OXCROPS_2.2.4.1", "MS-OXCROPS_2.2.4.1.1", "MS-OXCROPS_2.2.4.1.2", "MS-OXCROPS_2.2.4.1.3",
    "MS-OXCROPS_2.2.4.2", "MS-OXCROPS_2.2.4.2.1", "MS-OXCROPS_2.2.4.2.2", "MS-OXCROPS_2.2.4.2.3",
    "MS-OXCROPS_2.2.4.3", "MS-OXCROPS_2.2.4.3.1", "MS-OXCROPS_2.2.4.3.2",
)  # fmt: skip
def test_the_bytes_of_opening_making_and_deleting(client: Client, logon: int) -> None:
    answer, handles = exchange(client, f"02 00 00 01 {wire(TOP)} 00", [logon, NO_HANDLE])
    assert answer == bytes.fromhex("02 01 00000000 00 00")
    top = handles[1]
    answer, _ = exchange(client, f"02 00 00 01 {wire(0x1_FFFF_FFFF_FFFF)} 00", [logon, 7])
    assert answer == bytes.fromhex("02 01 0F010480")
    request = "1C 00 00 01 01 01 00 00 4E00E4000000 43000000"
    answer, handles = exchange(client, request, [top, NO_HANDLE])
    assert answer[:6] == bytes.fromhex("1C 01 00000000")
    assert (len(answer), answer[14]) == (15, 0)
    fid = answer[6:14].hex()
    assert handles[1] != NO_HANDLE
    answer, _ = exchange(client, "1C 00 00 01 01 00 01 00 4EE400 00", [top, NO_HANDLE])  # in code page 1252
    assert answer == bytes.fromhex(f"1C 01 00000000 {fid} 00")
    answer, _ = exchange(client, request, [top, NO_HANDLE])
    assert answer == bytes.fromhex("1C 01 04060480")
    answer, _ = exchange(client, f"1D 00 00 00 {fid}", [top])
    assert answer == bytes.fromhex("1D 00 00000000 00")
    answer, _ = exchange(client, f"1D 00 00 00 {fid}", [top])
    assert answer == bytes.fromhex("1D 00 0F010480 00")
    answer, _ = exchange(client, f"1D 00 00 00 {fid}", [12345])
    assert answer == bytes.fromhex("1D 00 B9040000 00")


@pytest.mark.covers(
    "MS-OXCROPS_R751", "MS-OXCROPS_2.2.4.6.1", "MS-OXCROPS_2.2.4.6.2", "MS-OXCROPS_2.2.4.6.3",
    "MS-OXCROPS_2.2.4.7", "MS-OXCROPS_2.2.4.7.1", "MS-OXCROPS_2.2.4.7.2", "MS-OXCROPS_2.2.4.7.3",
    "MS-OXCROPS_2.2.4.8", "MS-OXCROPS_2.2.4.8.1", "MS-OXCROPS_2.2.4.8.2", "MS-OXCROPS_2.2.4.8.3",
    "MS-OXCROPS_2.2.4.9", "MS-OXCROPS_2.2.4.9.1", "MS-OXCROPS_2.2.4.9.2",
    "MS-OXCROPS_2.2.4.10", "MS-OXCROPS_2.2.4.10.1", "MS-OXCROPS_2.2.4.10.2",
    "MS-OXCROPS_2.2.4.11", "MS-OXCROPS_2.2.4.11.1", "MS-OXCROPS_2.2.4.11.2",
    "MS-OXCROPS_2.2.4.12", "MS-OXCROPS_2.2.4.12.1", "MS-OXCROPS_2.2.4.12.2",
)  # fmt: skip
def test_the_bytes_of_moving_copying_and_emptying(
    office: Office, anna: Entry, client: Client, logon: int, top: int
) -> None:
    row = insert(office, anna, "one")
    inbox = opened(client, logon)
    box, fid = made(client, top, "Box")
    pair = [inbox, box]
    assert exchange(client, f"33 00 00 01 0100 {wire(row.mid)} 00 01", pair)[0].hex() == "33000000000000"
    assert exchange(client, f"33 00 00 01 0100 {wire(row.mid + 1)} 00 00", pair)[0].hex() == "33000000000001"
    gone = [inbox, 9999]
    assert exchange(client, "33 00 00 01 0000 00 00", gone)[0].hex() == "3300030500000100000000"
    assert exchange(client, f"35 00 00 01 00 01 {wire(fid)} 0000", gone)[0].hex() == "3500030500000100000000"
    assert (
        exchange(client, f"36 00 00 01 00 01 01 {wire(fid)} 0000", gone)[0].hex() == "3600030500000100000000"
    )
    both = [top, inbox]
    assert exchange(client, f"36 00 00 01 00 00 01 {wire(fid)} 4300 0000", both)[0].hex() == "36000000000000"
    assert exchange(client, f"35 00 00 01 00 00 {wire(fid)} 44 00", both)[0].hex() == "35000000000000"
    assert names(client, inbox) == ["C", "D"]
    assert exchange(client, f"1E 00 00 00 00 0100 {wire(row.mid)}", [inbox])[0].hex() == "1e000000000000"
    assert exchange(client, f"91 00 00 00 00 0100 {wire(row.mid)}", [inbox])[0].hex() == "91000000000000"
    assert exchange(client, f"1E 00 00 00 00 0100 {wire(row.mid)}", [inbox])[0].hex() == "1e000000000001"
    assert exchange(client, "58 00 00 00 00", [inbox])[0].hex() == "58000000000000"
    answer, _ = exchange(client, "92 00 00 00 01", [inbox])
    assert answer[:7].hex() == "92000000000000"
    assert [each[:1].hex() for each in (answer[7:], answer[7 + 18 :])] == ["2a", "2a"], "rows of a table went"
    assert names(client, inbox) == []


@pytest.mark.covers(
    "MS-OXCROPS_2.2.4.13", "MS-OXCROPS_2.2.4.13.1", "MS-OXCROPS_2.2.4.13.2", "MS-OXCROPS_2.2.4.13.3",
    "MS-OXCROPS_2.2.4.14", "MS-OXCROPS_2.2.4.14.1", "MS-OXCROPS_2.2.4.14.2", "MS-OXCROPS_2.2.4.14.3",
    "MS-OXCROPS_2.2.4.4", "MS-OXCROPS_2.2.4.4.1", "MS-OXCROPS_2.2.4.4.2",
    "MS-OXCROPS_2.2.4.5", "MS-OXCROPS_2.2.4.5.1", "MS-OXCROPS_2.2.4.5.2", "MS-OXCROPS_2.2.4.5.3",
)  # fmt: skip
def test_the_bytes_of_tables_and_searches(
    office: Office, anna: Entry, client: Client, logon: int, top: int
) -> None:
    insert(office, anna, "one")
    inbox = opened(client, logon)
    assert exchange(client, "05 00 00 01 00", [inbox, NO_HANDLE])[0].hex() == "05010000000001000000"
    assert exchange(client, "05 00 00 01 01", [inbox, NO_HANDLE])[0].hex() == "050157000780"
    made(client, inbox, "Below")
    assert exchange(client, "04 00 00 01 04", [inbox, NO_HANDLE])[0].hex() == "04010000000001000000"
    assert exchange(client, "04 00 00 01 01", [inbox, NO_HANDLE])[0].hex() == "040102010480"
    found, _ = made(client, top, "Found", kind=2)
    assert exchange(client, "31 00 00 01 01 01", [inbox])[0].hex() == "310061040000"
    exist = "0500 08 1F003700"
    assert (
        exchange(client, f"30 00 00 {exist} 0100 {wire(INBOX)} 04000000", [found])[0].hex() == "300000000000"
    )
    answer = exchange(client, "31 00 00 01 01 01", [found])[0]
    assert answer == bytes.fromhex(f"31 00 00000000 {exist} 00 0100 {wire(INBOX)} 05100008")
    answer = exchange(client, "31 00 00 00 01 00", [found])[0]
    assert answer == bytes.fromhex("31 00 00000000 0500 08 1E003700 00 0000 05100008")
    answer = exchange(client, "31 00 00 01 00 01", [found])[0]
    assert answer == bytes.fromhex(f"31 00 00000000 0000 00 0100 {wire(INBOX)} 05100008")


# -- opening and making -------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCFOLD_2.2.1.1", "MS-OXCFOLD_2.2.1.1.1", "MS-OXCFOLD_2.2.1.1.2", "MS-OXCFOLD_3.2.5.1",
)  # fmt: skip
def test_opening(office: Office, anna: Entry, client: Client, logon: int, top: int) -> None:
    assert opening(client, logon, INBOX).body.has_rules is False
    assert opening(client, top, INBOX, 0xFB).code == 0  # bits without meaning
    assert opening(client, logon, INBOX | 0x7777_0000).code == ec.ecNotFound
    table = contents(client, top).handle
    assert opening(client, table, INBOX).code == ec.ecNotSupported
    handle, fid = made(client, top, "Old")
    _, below = made(client, handle, "Below")
    assert delete(client, top, fid, 4).body.partial_completion is False
    assert opening(client, logon, fid).code == ec.ecNotFound
    assert opening(client, logon, below).code == ec.ecNotFound
    assert opening(client, logon, fid, SOFT_DELETED).code == 0
    assert opening(client, logon, below, SOFT_DELETED).code == 0


@pytest.mark.covers("MS-OXCFOLD_R470", "MS-OXCFOLD_R508", "MS-OXCFOLD_R394", "MS-OXCFOLD_R106601")
def test_what_others_may_not_see(office: Office, anna: Entry, connect, top: int, client: Client) -> None:  # type: ignore[no-untyped-def]
    bob = office.user("bob@example.test")
    grant(office, anna, ROOT, bob, "reviewer")
    other = connect(bob)
    logon = other.logon(anna)
    assert opening(other, logon, INBOX).code == ec.ecNotFound
    grant(office, anna, TOP, bob, "reviewer")
    grant(office, anna, INBOX, bob, "reviewer")
    theirs = opening(other, logon, TOP)
    assert theirs.code == 0
    assert names(other, theirs.handle) == ["Inbox"]
    assert opening(other, logon, INBOX).code == 0
    assert create(other, theirs.handle).code == ec.ecAccessDenied
    _, fid = made(client, top, "Mine")
    grant(office, anna, fid, bob, "none")
    assert delete(other, theirs.handle, fid).code == ec.ecNotFound
    grant(office, anna, fid, bob, "reviewer")
    assert delete(other, theirs.handle, fid).code == ec.ecAccessDenied
    row = insert(office, anna, "one")
    inbox = opening(other, logon, INBOX).handle
    assert delete_some(other, inbox, row.mid).code == ec.ecAccessDenied
    assert transfer(other, inbox, theirs.handle, row.mid, copy=True).code == ec.ecAccessDenied
    grant(office, anna, TOP, bob, "publishing-editor")
    assert transfer(other, inbox, theirs.handle, row.mid, copy=True).code == 0
    assert create(other, theirs.handle).code == 0


@pytest.mark.covers(
    "MS-OXCFOLD_2.2.1.2", "MS-OXCFOLD_2.2.1.2.1", "MS-OXCFOLD_2.2.1.2.2", "MS-OXCFOLD_3.2.5.2",
    "MS-OXCFOLD_R1039", "MS-OXCFOLD_R811", "MS-OXCFOLD_R812", "MS-OXCFOLD_R1034",
)  # fmt: skip
def test_making(client: Client, logon: int, top: int) -> None:
    reply = create(client, top, "Plans", comment="What we plan")
    assert (reply.code, reply.body.is_existing_folder, reply.body.has_rules) == (0, False, None)
    fid = reply.body.folder_id
    assert create(client, top, "plans").code == ec.ecDuplicateName
    again = create(client, top, "Plans", existing=True).body
    assert (again.folder_id, again.is_existing_folder, again.has_rules, again.is_ghosted) == (
        fid,
        False,
        None,
        None,
    )
    fresh = create(client, top, "Other", existing=True).body
    assert not fresh.is_existing_folder
    columns = (tags.PidTagDisplayName, tags.PidTagComment, tags.PidTagFolderType, tags.PidTagFolderId)
    listed = {row[0]: row for row in hierarchy(client, top, columns=columns).rows()}
    assert listed["Plans"][1:3] == ("What we plan", 1)
    assert create(client, top, "Search", kind=2).code == 0
    listed = {row[0]: row for row in hierarchy(client, top, columns=columns).rows()}
    assert listed["Search"][2] == 2
    for kind in (0, 3, 255):
        assert create(client, top, "X", kind=kind).code == ec.ecInvalidParam
    assert create(client, top, "").code == ec.ecInvalidParam
    assert create(client, top, "x" * 256).code == ec.ecInvalidParam
    assert create(client, logon, "X").code == ec.ecNotSupported
    handle, fid = made(client, top, "Gone")
    delete(client, top, fid)
    gone = opening(client, logon, fid, SOFT_DELETED).handle
    assert create(client, gone, "X").code == ec.ecNotFound
    assert create(client, handle, "X").code == ec.ecNotFound


# -- deleting -----------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCFOLD_R383", "MS-OXCFOLD_R405", "MS-OXCFOLD_R406", "MS-OXCFOLD_R407", "MS-OXCFOLD_R408",
    "MS-OXCFOLD_R46201002",
    "MS-OXCFOLD_2.2.1.3", "MS-OXCFOLD_2.2.1.3.1", "MS-OXCFOLD_2.2.1.3.2", "MS-OXCFOLD_3.2.5.3",
)  # fmt: skip
def test_deleting_folders(office: Office, anna: Entry, client: Client, logon: int, top: int) -> None:
    full, fid = made(client, top, "Full")
    _, below = made(client, full, "Below")
    insert(office, anna, "inside", fid)
    for flags in (0, 1, 4, 0x10, 0x11, 0x14):
        assert delete(client, top, fid, flags).body.partial_completion is True
        assert opening(client, logon, fid).code == 0
    assert delete(client, top, fid, 0x05).body.partial_completion is False
    assert "Full" not in names(client, top)
    old = opening(client, logon, fid, SOFT_DELETED)
    assert subjects(client, old.handle) == ["inside"]
    assert names(client, top, 0x20) == ["Full"]
    assert hierarchy(client, top, 0x20, (tags.PidTagDeletedOn,)).rows()[0] > 0
    assert delete(client, top, fid, 0x15).body.partial_completion is False
    assert opening(client, logon, fid, SOFT_DELETED).code == ec.ecNotFound
    assert opening(client, logon, below, SOFT_DELETED).code == ec.ecNotFound
    again, fid = made(client, top, "Full")
    insert(office, anna, "inside", fid)
    assert delete(client, top, fid, 0x15).body.partial_completion is False
    assert opening(client, logon, fid, SOFT_DELETED).code == ec.ecNotFound
    for flags in (0x02, 0x08, 0x20, 0x80):
        _, other = made(client, top, "Flags")
        assert delete(client, top, other, flags).body.partial_completion is False
    assert delete(client, top, fid).code == ec.ecNotFound
    root = opened(client, logon, ROOT)
    assert delete(client, top, ROOT).code == ec.ecNotSupported
    assert delete(client, root, TOP).code == ec.ecAccessDenied
    assert delete(client, top, INBOX).code == ec.ecAccessDenied
    assert delete(client, logon, fid).code == ec.ecNotSupported
    assert again != full


@pytest.mark.covers("MS-OXCFOLD_R806", "MS-OXCFOLD_R1219", "MS-OXCFOLD_R10348")
def test_a_deleted_folder_comes_back(
    office: Office, anna: Entry, client: Client, logon: int, top: int
) -> None:
    """Moved out of the folder that it was deleted from, with all in it; a copy is an ordinary folder too."""
    full, fid = made(client, top, "Full")
    _, below = made(client, full, "Below")
    insert(office, anna, "inside", fid)
    delete(client, top, fid, 0x05)
    assert (names(client, top), names(client, top, 0x20)) == (
        [name for name in names(client, top) if name != "Full"],
        ["Full"],
    )
    inbox = opened(client, logon, INBOX)
    assert copy(client, top, inbox, fid, "Copy").code == 0
    with office.store.read() as txn:
        made_copy = folders.lookup(txn, anna.mailbox, INBOX, "Copy")
    assert made_copy is not None
    assert subjects(client, opened(client, logon, made_copy)) == ["inside"]
    assert move(client, inbox, top, fid).code == ec.ecNotFound
    assert move(client, top, inbox, fid, "Back").code == 0
    assert names(client, top, 0x20) == []
    assert sorted(names(client, inbox)) == ["Back", "Copy"]
    back = opened(client, logon, fid)
    assert subjects(client, back) == ["inside"]
    assert names(client, back) == ["Below"]
    assert opening(client, logon, below).code == 0
    assert create(client, back, "More").code == 0
    columns = (tags.PidTagDisplayName, tags.PidTagDeletedOn)
    listed = {row[0]: row[1] for row in hierarchy(client, inbox, columns=columns).rows()}
    assert not isinstance(listed["Back"], int)


@pytest.mark.covers(
    "MS-OXCFOLD_R391", "MS-OXCFOLD_R436", "MS-OXCFOLD_R437",
    "MS-OXCFOLD_2.2.1.11", "MS-OXCFOLD_2.2.1.11.1", "MS-OXCFOLD_2.2.1.11.2",
    "MS-OXCFOLD_2.2.1.12", "MS-OXCFOLD_2.2.1.12.1", "MS-OXCFOLD_2.2.1.12.2",
    "MS-OXCFOLD_R631", "MS-OXCFOLD_R1143", "MS-OXCFOLD_R632", "MS-OXCFOLD_R1147", "MS-OXCFOLD_R635",
    "MS-OXCFOLD_R637", "MS-OXCFOLD_R638", "MS-OXCFOLD_R639", "MS-OXCFOLD_R1153", "MS-OXCFOLD_R1156",
    "MS-OXCFOLD_R115602", "MS-OXCFOLD_R642", "MS-OXCFOLD_R644", "MS-OXCFOLD_R645", "MS-OXCFOLD_R633",
    "MS-OXCFOLD_R267", "MS-OXCFOLD_R640", "MS-OXCFOLD_R289", "MS-OXCFOLD_R1017", "MS-OXCFOLD_R665",
)  # fmt: skip
def test_deleting_messages(office: Office, anna: Entry, client: Client, logon: int) -> None:
    inbox = opened(client, logon)
    one, two, three = (insert(office, anna, subject) for subject in ("one", "two", "three"))
    fai = insert(office, anna, "fai", associated=True)
    assert delete_some(client, inbox, one.mid).body.partial_completion is False
    assert delete_some(client, inbox, one.mid, two.mid).body.partial_completion is True
    assert subjects(client, inbox) == ["three"]
    assert subjects(client, inbox, 0x20) == ["one", "two"]
    assert delete_some(client, inbox, three.mid, one.mid, hard=True).body.partial_completion is False
    assert subjects(client, inbox, 0x20) == ["two"]
    assert delete_some(client, inbox, fai.mid).body.partial_completion is False
    assert subjects(client, inbox, 0x02) == []
    assert subjects(client, inbox, 0x22) == ["fai"]
    assert delete_some(client, inbox).body.partial_completion is False
    for rop in (delete_messages.SOFT, delete_messages.HARD):
        reply = client.ask(rop, delete_messages.Request(True, True, ()), on=logon)
        assert (reply.code, reply.body.partial_completion) == (ec.ecNotSupported, False)
        assert client.ask(rop, delete_messages.Request(True, False, ()), on=inbox).code == 0


@pytest.mark.covers(
    "MS-OXCFOLD_R43201", "MS-OXCFOLD_R43202", "MS-OXCFOLD_R433", "MS-OXCFOLD_R434", "MS-OXCFOLD_R124901",
    "MS-OXCFOLD_2.2.1.9", "MS-OXCFOLD_2.2.1.9.1", "MS-OXCFOLD_2.2.1.9.2", "MS-OXCFOLD_3.2.5.9",
    "MS-OXCFOLD_2.2.1.10", "MS-OXCFOLD_2.2.1.10.1", "MS-OXCFOLD_2.2.1.10.2", "MS-OXCFOLD_3.2.5.10",
)  # fmt: skip
@pytest.mark.parametrize("hard", [False, True])
def test_emptying(office: Office, anna: Entry, client: Client, logon: int, top: int, hard: bool) -> None:
    box, fid = made(client, top, "Box")
    _, below = made(client, box, "Below")
    for n in range(3):
        insert(office, anna, f"s{n}", fid)
    insert(office, anna, "fai", fid, associated=True)
    assert empty(client, box, hard=hard).body.partial_completion is False
    assert (subjects(client, box), subjects(client, box, 2), names(client, box)) == ([], ["fai"], [])
    assert subjects(client, box, 0x20) == ([] if hard else ["s0", "s1", "s2"])
    assert (opening(client, logon, below, SOFT_DELETED).code == 0) is not hard
    assert empty(client, box, associated=True, hard=hard).body.partial_completion is False
    assert subjects(client, box, 2) == []
    assert opening(client, logon, fid).code == 0
    rop = empty_folder.HARD if hard else empty_folder.SOFT
    assert client.ask(rop, empty_folder.Request(True, False), on=box).code == 0
    search_folder, _ = made(client, top, "Search", kind=2)
    for handle in (search_folder, opened(client, logon, ROOT), logon):
        reply = empty(client, handle, hard=hard)
        assert (reply.code, reply.body.partial_completion) == (ec.ecNotSupported, False)
    assert empty(client, top, hard=hard).body.partial_completion is True
    assert "Inbox" in names(client, top)


def test_long_work_goes_in_steps(office: Office, anna: Entry, client: Client, top: int) -> None:
    box, fid = made(client, top, "Box")
    mids = [insert(office, anna, f"s{n}", fid).mid for n in range(450)]
    other, _ = made(client, top, "Other")
    assert transfer(client, box, other, *mids, copy=True).body.partial_completion is False
    assert transfer(client, box, other, *mids).body.partial_completion is False
    table = contents(client, other)
    assert table.position()[1] == 900
    assert empty(client, other, hard=True).body.partial_completion is False
    assert table.position()[1] == 0


# -- moving and copying -------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCFOLD_R420", "MS-OXCFOLD_R427",
    "MS-OXCFOLD_2.2.1.6", "MS-OXCFOLD_2.2.1.6.1", "MS-OXCFOLD_2.2.1.6.2", "MS-OXCFOLD_3.2.5.6",
)  # fmt: skip
def test_moving_and_copying_messages(
    office: Office, anna: Entry, client: Client, logon: int, top: int
) -> None:
    inbox = opened(client, logon)
    box, fid = made(client, top, "Box")
    one, two = insert(office, anna, "one"), insert(office, anna, "two")
    assert transfer(client, inbox, box, one.mid, copy=True).body.partial_completion is False
    assert (subjects(client, inbox), subjects(client, box)) == (["one", "two"], ["one"])
    assert transfer(client, inbox, box, two.mid, 12345).body.partial_completion is True
    assert (subjects(client, inbox), subjects(client, box)) == (["one"], ["one", "two"])
    found, _ = made(client, top, "Search", kind=2)
    reply = transfer(client, inbox, found, one.mid)
    assert (reply.code, reply.body.partial_completion) == (ec.ecSearchFolder, False)
    assert transfer(client, inbox, logon, one.mid).code == ec.ecNotSupported
    assert transfer(client, logon, inbox, one.mid).code == ec.ecNotSupported
    assert transfer(client, inbox, 12345, one.mid).code == ec.ecDstNullObject
    assert transfer(client, 12345, inbox, one.mid).code == ec.ecNullObject
    request = move_copy_messages.Request((one.mid,), True, False)
    assert client.ask(move_copy_messages.ROP, request, on=inbox, dest=box).code == 0
    with office.store.read() as txn:
        assert len(list(rows.rows(txn, anna.mailbox, fid))) == 3


def test_moving_between_mailboxes(office: Office, anna: Entry, connect, client: Client) -> None:  # type: ignore[no-untyped-def]
    bob = office.user("bob@example.test")
    for fid in (ROOT, INBOX):
        grant(office, bob, fid, anna, "editor")
    mine, theirs = client.logon(), client.logon(bob, logon_id=1)
    insert(office, anna, "kept")
    row = insert(office, anna, "sent over")
    inbox, other = opened(client, mine), opened(client, theirs, logon_id=1)
    assert transfer(client, inbox, other, row.mid).body.partial_completion is False
    assert subjects(client, inbox) == ["kept"]
    own = connect(bob)
    assert subjects(own, opened(own, own.logon())) == ["sent over"]


@pytest.mark.covers(
    "MS-OXCFOLD_R423", "MS-OXCFOLD_R424",
    "MS-OXCFOLD_2.2.1.7", "MS-OXCFOLD_2.2.1.7.1", "MS-OXCFOLD_2.2.1.7.2", "MS-OXCFOLD_3.2.5.7",
)  # fmt: skip
def test_moving_folders(office: Office, anna: Entry, client: Client, logon: int, top: int) -> None:
    a, a_fid = made(client, top, "A")
    b, b_fid = made(client, a, "B")
    insert(office, anna, "inside", b_fid)
    assert move(client, a, top, b_fid, "Bee").body.partial_completion is False
    assert names(client, a) == []
    assert {"A", "Bee"} <= set(names(client, top))
    assert subjects(client, opening(client, logon, b_fid).handle) == ["inside"]
    assert move(client, top, a, b_fid).code == 0
    assert names(client, a) == ["Bee"]
    assert move(client, a, top, b_fid, "A").code == ec.ecDuplicateName
    assert move(client, top, b, a_fid).code == ec.ecRootFolder
    assert move(client, top, a, 0x1_0000_0000_7777).code == ec.ecNotFound
    assert move(client, top, a, b_fid).code == ec.ecNotFound
    assert move(client, top, a, INBOX).code == ec.ecAccessDenied
    assert move(client, top, logon, a_fid).code == ec.ecNotSupported
    assert move(client, logon, top, a_fid).code == ec.ecNotSupported
    reply = move(client, top, 12345, a_fid)
    assert (reply.code, reply.body.partial_completion) == (ec.ecDstNullObject, False)
    request = move_folder.Request(True, False, b_fid, b"Z\xe4h")
    assert client.ask(move_folder.ROP, request, on=a, dest=top).code == 0
    assert "Zäh" in names(client, top)


@pytest.mark.covers(
    "MS-OXCFOLD_R1048", "MS-OXCFOLD_R428", "MS-OXCFOLD_R429",
    "MS-OXCFOLD_2.2.1.8", "MS-OXCFOLD_2.2.1.8.1", "MS-OXCFOLD_2.2.1.8.2", "MS-OXCFOLD_3.2.5.8",
)  # fmt: skip
def test_copying_folders(office: Office, anna: Entry, client: Client, logon: int, top: int) -> None:
    a, a_fid = made(client, top, "A")
    b, b_fid = made(client, a, "B")
    made(client, b, "C")
    insert(office, anna, "in a", a_fid)
    insert(office, anna, "fai", a_fid, associated=True)
    insert(office, anna, "in b", b_fid)
    box, _ = made(client, top, "Box")
    assert copy(client, top, box, a_fid, "Flat", recursive=False).body.partial_completion is False
    assert copy(client, top, box, a_fid, "Deep").body.partial_completion is False
    columns = (
        tags.PidTagDisplayName,
        tags.PidTagContentCount,
        tags.PidTagAssociatedContentCount,
        tags.PidTagDepth,
    )
    assert sorted(hierarchy(client, box, 4, columns).rows()) == [
        ("B", 1, 0, 2),
        ("C", 0, 0, 3),
        ("Deep", 1, 1, 1),
        ("Flat", 1, 1, 1),
    ]
    assert names(client, a) == ["B"]
    assert copy(client, top, box, a_fid, "Deep").code == ec.ecDuplicateName
    assert copy(client, top, b, a_fid).code == ec.ecRootFolder
    assert copy(client, top, box, 0x1_0000_0000_7777).code == ec.ecNotFound
    assert copy(client, top, logon, a_fid).code == ec.ecNotSupported
    assert copy(client, logon, box, a_fid).code == ec.ecNotSupported
    assert copy(client, top, 12345, a_fid).code == ec.ecDstNullObject
    request = copy_folder.Request(True, False, False, a_fid, b"Again")
    assert client.ask(copy_folder.ROP, request, on=top, dest=box).code == 0
    assert "Again" in names(client, box)


# -- search folders -----------------------------------------------------------------------------------------

URGENT = r.Content(1, r.FuzzyFlags.IGNORE_CASE, SUBJECT, SUBJECT, "urgent")
STOP, RESTART, RECURSIVE, SHALLOW, STATIC = 1, 2, 4, 8, 0x40000


@pytest.mark.covers(
    "MS-OXCFOLD_R409", "MS-OXCFOLD_R1233", "MS-OXCFOLD_R418", "MS-OXCFOLD_R451", "MS-OXCFOLD_R1238002",
    "MS-OXCFOLD_R124201", "MS-OXCFOLD_R116001",
    "MS-OXCFOLD_2.2.1.4", "MS-OXCFOLD_2.2.1.4.1", "MS-OXCFOLD_2.2.1.4.2", "MS-OXCFOLD_3.2.5.4",
    "MS-OXCFOLD_2.2.1.5", "MS-OXCFOLD_2.2.1.5.1", "MS-OXCFOLD_2.2.1.5.2", "MS-OXCFOLD_3.2.5.5",
    "MS-OXCFOLD_R1172", "MS-OXCFOLD_R1027", "MS-OXCFOLD_R10027",
)  # fmt: skip
def test_searching(office: Office, anna: Entry, client: Client, logon: int, top: int) -> None:
    box, box_fid = made(client, opened(client, logon), "Box")
    insert(office, anna, "urgent one")
    insert(office, anna, "calm")
    insert(office, anna, "Urgent two", box_fid)
    found, fid = made(client, top, "Found", kind=2)
    assert criteria(client, found).code == ec.ecNotInitialized
    assert search(client, found, URGENT).code == ec.ecNotInitialized
    assert search(client, found, None, INBOX).code == ec.ecInvalidParam
    assert search(client, found, URGENT, fid).code == ec.ecSearchFolderScopeViolation
    assert search(client, box, URGENT, INBOX).code == ec.ecNotSearchFolder
    assert criteria(client, box).code == ec.ecNotSearchFolder
    assert search(client, logon, URGENT, INBOX).code == ec.ecNotSupported
    assert criteria(client, logon).code == ec.ecNotSupported
    assert search(client, found, URGENT, 0x1_0000_0000_7777).code == ec.ecNotFound
    for flags in (STOP | RESTART, RECURSIVE | SHALLOW, 0x30000, 0x40, 0x80000):
        assert search(client, found, URGENT, INBOX, flags=flags).code == ec.ecInvalidParam
    request = search_criteria.SetRequest(
        b"\x02" * 200 + b"\x08\x1f\x00\x37\x00", (INBOX,), search_criteria.SetFlags(0)
    )
    assert client.ask(search_criteria.SET, request, on=found).code == ec.ecTooComplex

    assert search(client, found, URGENT, INBOX).code == 0
    assert subjects(client, found) == ["urgent one"]
    assert search(client, found, None, flags=RECURSIVE).code == 0
    assert subjects(client, found) == ["Urgent two", "urgent one"]
    body = criteria(client, found).body
    assert r.parse(body.restriction_data, client.session.form) == URGENT
    assert body.folder_ids == (INBOX,)
    assert body.search_flags & 0x1005 == 0x1005
    body = criteria(client, found, restriction=False, folders=False).body
    assert (body.restriction_data, body.folder_ids) == (b"", ())
    entry_ids = set(contents(client, found, columns=(tags.PidTagParentEntryId,)).rows())
    assert len(entry_ids) == 2

    assert search(client, found, None, flags=STOP).code == 0
    assert criteria(client, found).body.search_flags & 0x1001 == 0x1001
    assert search(client, found, URGENT, INBOX, flags=STATIC | RECURSIVE).code == 0
    insert(office, anna, "urgent late")
    assert subjects(client, found) == ["Urgent two", "urgent one"]
    assert criteria(client, found).body.search_flags & 0x10001 == 0x10000
    assert search(client, found, None, flags=RESTART | STATIC).code == 0
    assert subjects(client, found) == ["urgent late", "urgent one"]


def test_deleting_and_moving_what_a_search_folder_shows(
    office: Office, anna: Entry, client: Client, logon: int, top: int
) -> None:
    one, two = insert(office, anna, "urgent one"), insert(office, anna, "urgent two")
    found, fid = made(client, top, "Found", kind=2)
    search(client, found, URGENT, INBOX)
    inbox = opened(client, logon)
    assert delete_some(client, found, one.mid).body.partial_completion is False
    assert subjects(client, inbox) == ["urgent two"]
    box, _ = made(client, top, "Box")
    assert transfer(client, found, box, two.mid).body.partial_completion is False
    assert (subjects(client, inbox), subjects(client, box)) == ([], ["urgent two"])
    columns = (tags.PidTagDisplayName, tags.PidTagContentCount)
    insert(office, anna, "urgent three")
    search(client, found, None, flags=RESTART)
    assert ("Found", 1) in hierarchy(client, top, columns=columns).rows()
    assert delete(client, top, fid).body.partial_completion is False
    assert opening(client, logon, fid, SOFT_DELETED).code == ec.ecNotFound


# -- tables of folders --------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCFOLD_2.2.1.13", "MS-OXCFOLD_2.2.1.13.1", "MS-OXCFOLD_2.2.1.13.2", "MS-OXCFOLD_3.2.5.13",
    "MS-OXCFOLD_2.2.1.14", "MS-OXCFOLD_2.2.1.14.2", "MS-OXCFOLD_R659", "MS-OXCFOLD_R1167", "MS-OXCFOLD_R1170",
    "MS-OXCFOLD_R661", "MS-OXCFOLD_R1176", "MS-OXCFOLD_R330", "MS-OXCFOLD_R669", "MS-OXCFOLD_R671",
    "MS-OXCFOLD_R672", "MS-OXCFOLD_R1178", "MS-OXCFOLD_R1179", "MS-OXCFOLD_R662", "MS-OXCFOLD_R663",
    "MS-OXCFOLD_R3007", "MS-OXCFOLD_R3008", "MS-OXCFOLD_R378", "MS-OXCFOLD_R382", "MS-OXCFOLD_R3009",
    "MS-OXCFOLD_R3010", "MS-OXCFOLD_R385", "MS-OXCFOLD_R388", "MS-OXCFOLD_R389", "MS-OXCFOLD_R397",
    "MS-OXCFOLD_R314002", "MS-OXCFOLD_R330002", "MS-OXCFOLD_R2",
    "MS-OXCFOLD_R323", "MS-OXCFOLD_R325", "MS-OXCFOLD_R326", "MS-OXCFOLD_R1010", "MS-OXCFOLD_R1011",
    "MS-OXCFOLD_R1020", "MS-OXCFOLD_R1021", "MS-OXCFOLD_R1224",
)  # fmt: skip
def test_tables_of_a_folder(office: Office, anna: Entry, client: Client, logon: int, top: int) -> None:
    a, fid = made(client, top, "A")
    made(client, a, "B")
    assert "B" not in names(client, top)
    assert "B" in names(client, top, 0x04)
    insert(office, anna, "one", fid)
    insert(office, anna, "fai", fid, associated=True)
    assert (subjects(client, a), subjects(client, a, 2)) == (["one"], ["fai"])
    assert subjects(client, a, 0x58) == ["one"]
    for flags in (0x01, 0x04):
        request = get_contents_table.Request(get_contents_table.TableFlags(flags))
        assert client.ask(get_contents_table.ROP, request, on=a).code == ec.ecInvalidParam
    for bits in (0x01, 0x02):
        asked = get_hierarchy_table.Request(get_hierarchy_table.TableFlags(bits))
        assert client.ask(get_hierarchy_table.ROP, asked, on=a).code == ec.ecNotSupported
    for rop in (get_contents_table, get_hierarchy_table):
        assert client.ask(rop.ROP, rop.Request(rop.TableFlags(0)), on=logon).code == ec.ecNotSupported
    narrow = contents(client, a, columns=(SUBJECT & 0xFFFF0000 | 0x1E,)).query().body
    assert narrow.row_data == b"\0one\0"


@pytest.mark.covers(
    "MS-OXCFOLD_R473", "MS-OXCFOLD_R495", "MS-OXCFOLD_R509", "MS-OXCFOLD_R574", "MS-OXCFOLD_R582"
)
def test_what_is_no_folder(client: Client, logon: int, top: int) -> None:
    table = contents(client, top).handle
    for rop, request in (
        (create_folder.ROP, create_folder.Request(1, True, False, 0, "X", "")),
        (delete_folder.ROP, delete_folder.Request(delete_folder.DeleteFolderFlags(0), INBOX)),
        (search_criteria.SET, search_criteria.SetRequest(b"", (), search_criteria.SetFlags(0))),
        (search_criteria.GET, search_criteria.GetRequest(True, True, True)),
    ):
        assert client.ask(rop, request, on=table).code == ec.ecNotSupported
    client.batch([Ask(release.ROP, Empty())], [table])
    with client.engine.store.read() as txn:
        assert folders.get(txn, client.user.mailbox, INBOX).total == 0
