"""MS-OXCPERM: the permissions list of a folder, and what each right lets somebody else do."""

import struct
from collections.abc import Iterator

import pytest

from tests.conformance.office import Person
from tests.conformance.store_rops import (
    DISPLAY_NAME,
    EC_ACCESS_DENIED,
    EC_INVALID_PARAM,
    EC_NOT_FOUND,
    EC_NOT_SUPPORTED,
    FOLDER_ID,
    INBOX,
    IPM,
    MID,
    NONE,
    SUBJECT,
    SUCCESS,
    Answer,
    Store,
    create_folder,
    create_message,
    delete_folder,
    delete_messages,
    get_contents_table,
    get_hierarchy_table,
    get_permissions_table,
    head,
    modify_permissions,
    open_folder,
    open_message,
    permission,
    private,
    save_message,
    set_columns,
    set_properties,
)
from tests.conformance.values import tagged

MEMBER_ENTRY, MEMBER_ID, MEMBER_NAME, MEMBER_RIGHTS = 0x0FFF0102, 0x66710014, 0x6672001F, 0x66730003
COLUMNS = (MEMBER_ENTRY, MEMBER_ID, MEMBER_NAME, MEMBER_RIGHTS)
ADD, MODIFY, REMOVE = 1, 2, 4
REPLACE, FREE_BUSY = 1, 2
DEFAULT, ANONYMOUS = 0, 0xFFFFFFFFFFFFFFFF
READ, CREATE, EDIT_OWNED, DELETE_OWNED, EDIT_ANY, DELETE_ANY = 0x01, 0x02, 0x08, 0x10, 0x20, 0x40
SUBFOLDER, OWNER, CONTACT, VISIBLE, SIMPLE, DETAILED = 0x80, 0x100, 0x200, 0x400, 0x800, 0x1000

PROVIDER = bytes.fromhex("DCA740C8C042101AB4B908002B2FE182")
"""GUID_NSPI: MS-OXNSPI 2.2.1.2."""


def entry(dn: str) -> bytes:
    """A PermanentEntryID: MS-OXNSPI 2.3.9.3."""
    return bytes(4) + PROVIDER + struct.pack("<II", 1, 0) + dn.encode("ascii") + b"\0"


def added(person: Person, rights: int) -> bytes:
    """A row that adds somebody: 3.1.4.2."""
    return permission(ADD, tagged(MEMBER_ENTRY, entry(person.dn)), tagged(MEMBER_RIGHTS, rights))


def modified(member: int, rights: int) -> bytes:
    """A row that changes an entry: 3.1.4.3."""
    return permission(MODIFY, tagged(MEMBER_ID, member), tagged(MEMBER_RIGHTS, rights))


def removed(member: int) -> bytes:
    """A row that takes an entry away: 3.1.4.4."""
    return permission(REMOVE, tagged(MEMBER_ID, member))


Member = dict[int, object]


def listed(store: Store, folder: int, flags: int = 0) -> dict[object, Member]:
    """The permissions list by member id, each row with all four properties."""
    rows = [
        dict(zip(COLUMNS, row, strict=True))
        for row in store.table(get_permissions_table(flags), folder, *COLUMNS)
    ]
    made = {row[MEMBER_ID]: row for row in rows}
    assert len(made) == len(rows)
    return made


def rights(store: Store, folder: int, flags: int = 0) -> dict[object, object]:
    """Who has which rights, by name."""
    return {row[MEMBER_NAME]: row[MEMBER_RIGHTS] for row in listed(store, folder, flags).values()}


def member(store: Store, folder: int, person: Person) -> int:
    """The member id of somebody in the list."""
    (found,) = (key for key, row in listed(store, folder).items() if row[MEMBER_NAME] == person.name)
    assert isinstance(found, int)
    return found


def change(store: Store, folder: int, *rows: bytes, flags: int = 0) -> None:
    """Modify the list, which succeeds with nothing to tell."""
    answer = store.send(modify_permissions(list(rows), flags), folder)
    assert (answer.rop, answer.index, answer.value) == (0x40, 0, SUCCESS)
    answer.end()


@pytest.fixture
def shared(store: Store, top: int) -> tuple[int, int]:
    """A folder of Anna's and its handle, whose parent anybody may see."""
    made = store.create(top, "Shared")
    change(store, top, modified(DEFAULT, VISIBLE))
    return made


# --- the list -----------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCPERM_R9",
    "MS-OXCPERM_R28",
    "MS-OXCPERM_R189",
    "MS-OXCPERM_R190",
    "MS-OXCPERM_R1079",
    "MS-OXCPERM_R1080",
    "MS-OXCPERM_R1070",
    "MS-OXCPERM_R1081",
    "MS-OXCPERM_R155",
    "MS-OXCPERM_R2006",
    "MS-OXCPERM_R1164",
)
def test_a_new_folder_has_the_two_reserved_entries(store: Store, top: int) -> None:
    _, folder = store.create(top, "New")
    answer = store.send(get_permissions_table(), folder, NONE)
    assert (answer.rop, answer.index, answer.value) == (0x3E, 1, SUCCESS)
    answer.end()
    assert answer.handles[1] != NONE
    table = listed(store, folder)
    assert table[DEFAULT] == {MEMBER_ENTRY: b"", MEMBER_ID: 0, MEMBER_NAME: "", MEMBER_RIGHTS: 0}
    assert table[ANONYMOUS] == {
        MEMBER_ENTRY: b"",
        MEMBER_ID: ANONYMOUS,
        MEMBER_NAME: "Anonymous",
        MEMBER_RIGHTS: 0,
    }
    assert set(table) == {DEFAULT, ANONYMOUS}


@pytest.mark.covers(
    "MS-OXCPERM_R51",
    "MS-OXCPERM_R47",
    "MS-OXCPERM_R66",
    "MS-OXCPERM_R70",
    "MS-OXCPERM_R1068",
    "MS-OXCPERM_R1069",
    "MS-OXCPERM_R74",
    "MS-OXCPERM_R81",
    "MS-OXCPERM_R87",
    "MS-OXCPERM_R182",
    "MS-OXCPERM_R1204",
)
def test_adding_somebody(store: Store, top: int, ben: Person) -> None:
    _, folder = store.create(top, "New")
    change(store, folder, added(ben, READ | VISIBLE))
    (key,) = set(listed(store, folder)) - {DEFAULT, ANONYMOUS}
    row = listed(store, folder)[key]
    assert (row[MEMBER_NAME], row[MEMBER_RIGHTS]) == (ben.name, READ | VISIBLE)
    found = row[MEMBER_ENTRY]
    assert isinstance(found, bytes)
    assert found[:28] == entry("")[:28]
    assert found[28:].lower() == ben.dn.encode("ascii").lower() + b"\0"


@pytest.mark.covers("MS-OXCPERM_R52", "MS-OXCPERM_R1187")
def test_modifying_an_entry(store: Store, top: int, ben: Person) -> None:
    _, folder = store.create(top, "New")
    change(store, folder, added(ben, READ | VISIBLE))
    key = member(store, folder, ben)
    change(store, folder, modified(key, CREATE | VISIBLE), modified(DEFAULT, VISIBLE))
    assert rights(store, folder) == {"": VISIBLE, "Anonymous": 0, ben.name: CREATE | VISIBLE}
    assert member(store, folder, ben) == key, "an entry keeps its id"


@pytest.mark.covers("MS-OXCPERM_R186", "MS-OXCPERM_R1188")
def test_removing_an_entry(store: Store, top: int, ben: Person) -> None:
    _, folder = store.create(top, "New")
    change(store, folder, added(ben, READ | VISIBLE))
    change(store, folder, removed(member(store, folder, ben)))
    assert rights(store, folder) == {"": 0, "Anonymous": 0}


@pytest.mark.covers("MS-OXCPERM_R1197", "MS-OXCPERM_R45")
def test_replacing_keeps_the_default_entry_alone(store: Store, top: int, anna: Person, ben: Person) -> None:
    _, folder = store.create(top, "New")
    change(store, folder, modified(DEFAULT, VISIBLE), added(anna, READ | VISIBLE))
    change(store, folder, added(ben, READ | VISIBLE), flags=REPLACE)
    table = rights(store, folder)
    assert (table[""], table[ben.name]) == (VISIBLE, READ | VISIBLE)
    assert anna.name not in table


@pytest.mark.covers("MS-OXCPERM_R1197")
def test_replacing_by_nothing(store: Store, top: int, ben: Person) -> None:
    _, folder = store.create(top, "New")
    change(store, folder, added(ben, READ | VISIBLE))
    change(store, folder, flags=REPLACE)
    assert ben.name not in rights(store, folder)
    assert "" in rights(store, folder)


@pytest.mark.covers("MS-OXCPERM_R45")
@pytest.mark.parametrize("row", [modified(DEFAULT, VISIBLE), removed(DEFAULT)])
def test_replacing_is_by_additions(store: Store, top: int, row: bytes) -> None:
    _, folder = store.create(top, "New")
    answer = store.send(modify_permissions([row], REPLACE), folder)
    assert answer.value == EC_INVALID_PARAM
    assert rights(store, folder) == {"": 0, "Anonymous": 0}


@pytest.mark.covers("MS-OXCPERM_R1175")
@pytest.mark.parametrize("row", [modified(0x4711, VISIBLE), removed(0x4711)])
def test_changes_of_nobody_are_ignored(store: Store, top: int, ben: Person, row: bytes) -> None:
    _, folder = store.create(top, "New")
    change(store, folder, row, added(ben, VISIBLE))
    assert rights(store, folder) == {"": 0, "Anonymous": 0, ben.name: VISIBLE}


def test_adding_twice_leaves_one_entry(store: Store, top: int, ben: Person) -> None:
    _, folder = store.create(top, "New")
    change(store, folder, added(ben, VISIBLE))
    change(store, folder, added(ben, READ | VISIBLE))
    assert rights(store, folder)[ben.name] == READ | VISIBLE


@pytest.mark.covers(
    "MS-OXCPERM_R19", "MS-OXCPERM_R40", "MS-OXCPERM_R1182", "MS-OXCPERM_R90", "MS-OXCPERM_R96"
)
def test_free_and_busy_rights_of_the_calendar(store: Store, top: int, ben: Person) -> None:
    rows = store.table(get_hierarchy_table(0x04), top, DISPLAY_NAME, FOLDER_ID)
    (calendar,) = (int(str(fid)) for name, fid in rows if name == "Calendar")
    folder = store.open(calendar)
    change(store, folder, added(ben, READ | VISIBLE))
    table = rights(store, folder, FREE_BUSY)
    assert table[ben.name] == READ | VISIBLE | SIMPLE | DETAILED, "until a client says otherwise"
    assert int(str(table[""])) & SIMPLE
    change(store, folder, modified(member(store, folder, ben), READ | VISIBLE | SIMPLE), flags=FREE_BUSY)
    assert rights(store, folder, FREE_BUSY)[ben.name] == READ | VISIBLE | SIMPLE


@pytest.mark.covers("MS-OXCPERM_R152", "MS-OXCPERM_R183")
def test_the_security_descriptor_is_no_stream(store: Store, top: int) -> None:
    _, folder = store.create(top, "New")
    request = head(0x2B) + struct.pack("<BIB", 1, 0x0E6A001F, 0)
    answer = store.send(request, folder, NONE)
    assert (answer.value, answer.handles[1]) == (EC_NOT_SUPPORTED, NONE), "as in the example of 4.1"


@pytest.mark.parametrize("request_", [get_permissions_table(), modify_permissions([])])
def test_permissions_are_of_folders(store: Store, request_: bytes) -> None:
    assert store.call(request_, NONE).value == EC_NOT_SUPPORTED


# --- what rights allow --------------------------------------------------------------------------------------


@pytest.fixture
def theirs(ben: Person, anna: Person) -> Iterator[Store]:
    """Anna's mailbox, as Ben sees it."""
    with ben.mapi() as client:
        yield Store(client, anna.dn)


@pytest.mark.covers("MS-OXCPERM_R1192", "MS-OXCPERM_R176", "MS-OXCFOLD_R470", "MS-OXCFOLD_R394")
def test_without_a_right_a_folder_is_not_there(store: Store, shared: tuple[int, int], theirs: Store) -> None:
    fid, _ = shared
    assert theirs.call(open_folder(fid), NONE).value == EC_NOT_FOUND


@pytest.mark.covers(
    "MS-OXCPERM_R173",
    "MS-OXCPERM_R102",
    "MS-OXCPERM_R103",
    "MS-OXCPERM_R1120",
    "MS-OXCPERM_R175",
    "MS-OXCPERM_R177",
    "MS-OXCPERM_R179",
    "MS-OXCPERM_R2014",
    "MS-OXCPERM_R2016",
)
def test_a_visible_folder_opens_and_tells_its_list(
    store: Store, shared: tuple[int, int], theirs: Store, ben: Person
) -> None:
    fid, folder = shared
    change(store, folder, added(ben, VISIBLE))
    opened = theirs.open(fid)
    assert rights(theirs, opened) == {"": 0, "Anonymous": 0, ben.name: VISIBLE}
    above = theirs.open(theirs.folders[IPM])
    assert [row[0] for row in theirs.table(get_hierarchy_table(), above, DISPLAY_NAME)] == ["Shared"]


@pytest.mark.covers("MS-OXCPERM_R142", "MS-OXCPERM_R143", "MS-OXCPERM_R144")
@pytest.mark.parametrize("allowed", [False, True])
def test_reading(store: Store, shared: tuple[int, int], theirs: Store, ben: Person, allowed: bool) -> None:
    fid, folder = shared
    mid = store.message(folder, fid, tagged(SUBJECT, "secret"))
    change(store, folder, added(ben, VISIBLE | (READ if allowed else 0)))
    opened = theirs.open(fid)
    rows = theirs.send(get_contents_table(), opened, NONE)
    if not allowed:
        assert theirs.send(open_message(fid, mid), opened, NONE).value == EC_ACCESS_DENIED
        if rows.value == SUCCESS:
            assert theirs.rows(rows.handles[1], MID) == []
        return
    assert theirs.rows(rows.handles[1], MID) == [[mid]]
    assert theirs.send(open_message(fid, mid), opened, NONE).value == SUCCESS


@pytest.mark.covers("MS-OXCPERM_R139", "MS-OXCPERM_R140", "MS-OXCPERM_R141")
@pytest.mark.parametrize("allowed", [False, True])
def test_creating_messages(
    store: Store, shared: tuple[int, int], theirs: Store, ben: Person, allowed: bool
) -> None:
    fid, folder = shared
    change(store, folder, added(ben, VISIBLE | READ | (CREATE if allowed else 0)))
    opened = theirs.open(fid)
    made = theirs.send(create_message(fid), opened, NONE)
    saved = theirs.send(save_message(0, 1), made.handles[1], opened) if made.value == SUCCESS else made
    assert saved.value == (SUCCESS if allowed else EC_ACCESS_DENIED)
    assert len(store.table(get_contents_table(), folder, MID)) == int(allowed)


def _edit(theirs: Store, fid: int, mid: int) -> int:
    """The outcome of a change of a subject; what refuses may be the opening, the setting or the saving."""
    folder = theirs.open(fid)
    opened = theirs.send(open_message(fid, mid, mode=1), folder, NONE)
    if opened.value != SUCCESS:
        return opened.value
    answer: Answer = theirs.send(set_properties([tagged(SUBJECT, "changed")]), opened.handles[1])
    if answer.value == SUCCESS:
        answer = theirs.send(save_message(0, 1), opened.handles[1], folder)
    return answer.value


@pytest.mark.covers(
    "MS-OXCPERM_R123",
    "MS-OXCPERM_R124",
    "MS-OXCPERM_R125",
    "MS-OXCPERM_R130",
    "MS-OXCPERM_R131",
    "MS-OXCPERM_R132",
)
@pytest.mark.parametrize(
    ("granted", "own", "others"),
    [(0, False, False), (EDIT_OWNED, True, False), (EDIT_OWNED | EDIT_ANY, True, True)],
)
def test_editing(
    store: Store,
    shared: tuple[int, int],
    theirs: Store,
    ben: Person,
    granted: int,
    own: bool,
    others: bool,
) -> None:
    fid, folder = shared
    foreign = store.message(folder, fid)
    change(store, folder, added(ben, VISIBLE | READ | CREATE | granted))
    mine = theirs.message(theirs.open(fid), fid)
    assert _edit(theirs, fid, mine) == (SUCCESS if own else EC_ACCESS_DENIED)
    assert _edit(theirs, fid, foreign) == (SUCCESS if others else EC_ACCESS_DENIED)


@pytest.mark.covers(
    "MS-OXCPERM_R120",
    "MS-OXCPERM_R121",
    "MS-OXCPERM_R122",
    "MS-OXCPERM_R126",
    "MS-OXCPERM_R127",
    "MS-OXCPERM_R128",
)
@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize(
    ("granted", "own", "others"),
    [(0, False, False), (DELETE_OWNED, True, False), (DELETE_OWNED | DELETE_ANY, True, True)],
)
def test_deleting(
    store: Store,
    shared: tuple[int, int],
    theirs: Store,
    ben: Person,
    granted: int,
    own: bool,
    others: bool,
    hard: bool,
) -> None:
    fid, folder = shared
    foreign = store.message(folder, fid)
    change(store, folder, added(ben, VISIBLE | READ | CREATE | granted))
    opened = theirs.open(fid)
    mine = theirs.message(opened, fid)
    for mid, allowed in ((mine, own), (foreign, others)):
        answer = theirs.send(delete_messages([mid], hard), opened)
        assert allowed == ((answer.value, answer.fields.rest) == (SUCCESS, b"\0"))
    left = {row[0] for row in store.table(get_contents_table(), folder, MID)}
    assert left == {mid for mid, allowed in ((mine, own), (foreign, others)) if not allowed}


@pytest.mark.covers("MS-OXCPERM_R117", "MS-OXCPERM_R118", "MS-OXCPERM_R119", "MS-OXCFOLD_R1071")
@pytest.mark.parametrize("allowed", [False, True])
def test_creating_folders(
    store: Store, shared: tuple[int, int], theirs: Store, ben: Person, allowed: bool
) -> None:
    fid, folder = shared
    change(store, folder, added(ben, VISIBLE | READ | (SUBFOLDER if allowed else 0)))
    opened = theirs.open(fid)
    answer = theirs.send(create_folder("Below"), opened, NONE)
    assert answer.value == (SUCCESS if allowed else EC_ACCESS_DENIED), "<13>: since Exchange 2013"
    if allowed:
        made, _ = answer.fields.numbers("QB")
        assert theirs.send(delete_folder(made), opened).value == SUCCESS, "who makes a folder owns it"


@pytest.mark.covers(
    "MS-OXCPERM_R114",
    "MS-OXCPERM_R115",
    "MS-OXCPERM_R115002",
    "MS-OXCPERM_R116",
    "MS-OXCPERM_R116001",
    "MS-OXCPERM_R180",
    "MS-OXCPERM_R181",
)
@pytest.mark.parametrize("allowed", [False, True])
def test_owning(store: Store, shared: tuple[int, int], theirs: Store, ben: Person, allowed: bool) -> None:
    fid, folder = shared
    change(store, folder, added(ben, VISIBLE | READ | (OWNER if allowed else 0)))
    opened = theirs.open(fid)
    named = theirs.send(set_properties([tagged(DISPLAY_NAME, "Theirs")]), opened)
    listed_ = theirs.send(modify_permissions([modified(DEFAULT, VISIBLE)]), opened)
    if not allowed:
        assert (named.value, listed_.value) == (EC_ACCESS_DENIED, EC_ACCESS_DENIED)
        assert rights(store, folder)[""] == 0
        return
    assert (named.value, named.fields.rest, listed_.value) == (SUCCESS, b"\0\0", SUCCESS)
    assert store.properties(folder, DISPLAY_NAME) == ["Theirs"]
    assert rights(store, folder)[""] == VISIBLE


@pytest.mark.covers("MS-OXCFOLD_R503", "MS-OXCFOLD_R2500", "MS-OXCFOLD_R508")
@pytest.mark.parametrize(("granted", "outcome"), [(0, EC_NOT_FOUND), (VISIBLE | READ, EC_ACCESS_DENIED)])
def test_deleting_a_folder_of_somebody_else(
    store: Store, shared: tuple[int, int], theirs: Store, ben: Person, granted: int, outcome: int
) -> None:
    fid, folder = shared
    if granted:
        change(store, folder, added(ben, granted))
    answer = theirs.send(delete_folder(fid, 0x15), theirs.open(theirs.folders[IPM]))
    assert (answer.value, answer.fields.rest) == (outcome, b"\0")
    assert store.open(fid) != NONE


@pytest.mark.covers("MS-OXCPERM_R2007")
def test_a_right_that_is_taken_away_ends_at_once(
    store: Store, shared: tuple[int, int], theirs: Store, ben: Person
) -> None:
    fid, folder = shared
    change(store, folder, added(ben, VISIBLE | READ))
    opened = theirs.open(fid)
    table = theirs.send(get_permissions_table(), opened, NONE)
    assert table.value == SUCCESS
    change(store, folder, removed(member(store, folder, ben)))
    answer = theirs.send(get_permissions_table(), opened, NONE)
    if answer.value == SUCCESS:
        assert theirs.send(set_columns([MEMBER_ID]), answer.handles[1]).value == SUCCESS
        answer = theirs.send(head(0x15) + b"\0\1\xff\0", answer.handles[1])
    assert answer.value in (EC_ACCESS_DENIED, EC_NOT_FOUND)
    assert theirs.call(open_folder(fid), NONE).value == EC_NOT_FOUND


def test_the_owner_of_a_mailbox_needs_no_entry(store: Store, top: int, anna: Person) -> None:
    fid, folder = store.create(top, "Mine")
    change(store, folder, added(anna, 0))
    with anna.mapi() as client:
        again = private(client, anna)
        assert again.message(again.open(fid), fid) != 0
    inbox = store.open(store.folders[INBOX])
    change(store, inbox, modified(DEFAULT, 0))
    assert store.call(open_folder(store.folders[INBOX]), NONE).value == SUCCESS
