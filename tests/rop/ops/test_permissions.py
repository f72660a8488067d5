"""Permissions of folders through ROPs (MS-OXCPERM, MS-OXCROPS 2.2.10)."""

from collections.abc import Callable

import pytest

from appliance.directory.model import Entry
from appliance.directory.properties import entry_id
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.rop import batch
from appliance.rop.ops import create_folder, create_message, delete_messages, open_folder, permissions
from appliance.store import contents
from appliance.store import permissions as rows
from appliance.store.contents import Row
from appliance.store.mailboxes import Special
from appliance.store.permissions import ANONYMOUS, DEFAULT, Right
from tests.rop.kit import Client
from tests.rop.mail import append
from tests.rop.ops.items import READ_ONLY, READ_WRITE, open_, set_, try_save
from tests.rop.ops.tabling import Grid, opened
from tests.transport.office import Office

TABLE, MODIFY = permissions.ROPS
ID, NAME, RIGHTS, ENTRY = (
    tags.PidTagMemberId,
    tags.PidTagMemberName,
    tags.PidTagMemberRights,
    tags.PidTagEntryId,
)
ADD, CHANGE, REMOVE = 1, 2, 4
EDITOR = Right(0x0463)
FREE_BUSY = Right.FREE_BUSY_SIMPLE | Right.FREE_BUSY_DETAILED


@pytest.fixture
def bert(office: Office) -> Entry:
    return office.user("bert@example.test")


@pytest.fixture
def calendar(client: Client) -> int:
    return opened(client, client.logon(), Special.CALENDAR)


def listed(client: Client, folder: int, flags: int = 0) -> list[tuple[int, str, int, bytes]]:
    request = permissions.TableRequest(permissions.TableFlags(flags))
    grid = Grid(client, client.do(TABLE, request, on=folder).handle)
    return grid.show(ID, NAME, RIGHTS, ENTRY).rows()


def modify(client: Client, folder: int, flags: int, *changes: tuple[int, dict[int, object]]) -> int:
    data = tuple(
        permissions.PermissionData(kind, tuple(values.items()))  # type: ignore[arg-type]
        for kind, values in changes
    )
    request = permissions.ModifyRequest(permissions.ModifyFlags(flags), data)
    return client.ask(MODIFY, request, on=folder).code


@pytest.mark.covers(
    "MS-OXCPERM_2.1",
    "MS-OXCPERM_2.2",
    "MS-OXCPERM_2.2.1",
    "MS-OXCPERM_2.2.1.1",
    "MS-OXCPERM_2.2.1.2",
    "MS-OXCPERM_2.2.2",
    "MS-OXCPERM_2.2.4",
    "MS-OXCPERM_2.2.5",
    "MS-OXCPERM_2.2.6",
    "MS-OXCPERM_2.8.1",
    "MS-OXCPERM_2.8.1.1",
    "MS-OXCPERM_2.11.1",
    "MS-OXCPERM_2.752",
    "MS-OXCPERM_2.849",
    "MS-OXCPERM_2.850",
    "MS-OXCPERM_2.851",
    "MS-OXCPERM_R154",
    "MS-OXCPERM_R155",
    "MS-OXCPERM_R2006",
    "MS-OXCPERM_R51",
)
def test_members_are_listed(client: Client, calendar: int, bert: Entry) -> None:
    member = {ENTRY: entry_id(bert), RIGHTS: int(EDITOR | FREE_BUSY)}
    assert modify(client, calendar, 2, (ADD, member)) == 0
    default, anonymous, shown = listed(client, calendar)
    assert default[:2] == (0, "")
    assert default[3] == b""
    assert anonymous[:2] == (-1, "Anonymous")
    assert anonymous[3] == b""
    assert shown == (bert.id, "bert@example.test", EDITOR, entry_id(bert))
    assert listed(client, calendar, 2)[2][2] == EDITOR | FREE_BUSY


@pytest.mark.covers(
    "MS-OXCROPS_2.2.10.1",
    "MS-OXCROPS_2.2.10.1.1",
    "MS-OXCROPS_2.2.10.1.1.1",
    "MS-OXCROPS_2.2.10.1.2",
    "MS-OXCROPS_2.2.10.2",
    "MS-OXCROPS_2.2.10.2.1",
    "MS-OXCROPS_2.2.10.2.2",
    "MS-OXCPERM_2.2.2.2",
    "MS-OXCPERM_2.11.2.1",
)
def test_the_bytes(client: Client, calendar: int, bert: Entry, office: Office, anna: Entry) -> None:
    key = entry_id(bert)
    value = b"\x02\x01\xff\x0f" + len(key).to_bytes(2, "little") + key + b"\x03\x00\x73\x66\x63\x04\0\0"
    request = b"\x40\x00\x00\x00\x01\x00" + b"\x01\x02\x00" + value
    (data,) = client.raw(batch.pack(request, [calendar]))
    assert data == b"\x08\x00\x40\x00\0\0\0\0" + calendar.to_bytes(4, "little")
    with office.store.read() as txn:
        assert rows.members(txn, anna.mailbox, Special.CALENDAR)[bert.id] == EDITOR | FREE_BUSY
    (data,) = client.raw(batch.pack(b"\x3e\x00\x00\x01\x02", [calendar, batch.NO_HANDLE]))
    assert data[:12] == b"\x08\x00\x3e\x01\0\0\0\0" + calendar.to_bytes(4, "little")
    assert data[12:] != batch.NO_HANDLE.to_bytes(4, "little")


@pytest.mark.covers("MS-OXCPERM_2.2.2.1", "MS-OXCPERM_2.2.2.1.1", "MS-OXCPERM_3.2.5.2", "MS-OXCPERM_R1175")
def test_changes(client: Client, calendar: int, bert: Entry, office: Office, anna: Entry) -> None:
    cora = office.user("cora@example.test")

    def members() -> dict[int, Right]:
        with office.store.read() as txn:
            return rows.members(txn, anna.mailbox, Special.CALENDAR)

    assert modify(client, calendar, 0, (ADD, {ENTRY: entry_id(bert), RIGHTS: int(EDITOR)})) == 0
    assert modify(client, calendar, 0, (CHANGE, {ID: bert.id, RIGHTS: 0x0401})) == 0
    assert members()[bert.id] == Right(0x0401) | FREE_BUSY, "the default, until a client says otherwise"
    assert modify(client, calendar, 2, (CHANGE, {ID: bert.id, RIGHTS: 0x0C01})) == 0
    assert modify(client, calendar, 0, (CHANGE, {ID: bert.id, RIGHTS: 0x1400})) == 0
    assert members()[bert.id] == Right(0x0C00), "free/busy rights are left alone by who does not know them"
    assert modify(client, calendar, 0, (CHANGE, {ID: 0, RIGHTS: 0x0400}), (CHANGE, {ID: -1, RIGHTS: 0})) == 0
    assert members()[DEFAULT] & rows.ALL == Right.FOLDER_VISIBLE
    assert members()[ANONYMOUS] == Right.NONE
    assert modify(client, calendar, 0, (REMOVE, {ID: cora.id}), (CHANGE, {ID: cora.id, RIGHTS: 1})) == 0
    assert cora.id not in members()
    assert modify(client, calendar, 1, (ADD, {ENTRY: entry_id(cora), RIGHTS: 0x0401})) == 0
    assert members().keys() == {DEFAULT, cora.id}
    assert modify(client, calendar, 0, (REMOVE, {ID: cora.id})) == 0
    assert cora.id not in members()


@pytest.mark.parametrize(
    ("flags", "kind", "values", "code"),
    [
        (1, CHANGE, {ID: 0, RIGHTS: 1}, ec.ecInvalidParam),
        (4, ADD, {ENTRY: b"", RIGHTS: 1}, ec.ecInvalidParam),
        (0, 3, {ID: 0, RIGHTS: 1}, ec.ecInvalidParam),
        (0, ADD, {RIGHTS: 1}, ec.ecInvalidParam),
        (0, CHANGE, {ID: 0}, ec.ecInvalidParam),
        (0, CHANGE, {ID: 0, RIGHTS: 0x4000}, ec.ecInvalidParam),
        (0, ADD, {ENTRY: b"\x01\x02", RIGHTS: 1}, ec.ecInvalidParam),
        (0, ADD, {ENTRY: bytes(4) + bytes(16), RIGHTS: 1}, ec.ecNotFound),
    ],
)
def test_rows_that_are_none(
    client: Client, calendar: int, flags: int, kind: int, values: dict[int, object], code: int
) -> None:
    before = listed(client, calendar, 2)
    good = (ADD, {ID: -1, RIGHTS: 1})
    assert modify(client, calendar, flags, good, (kind, values)) == code
    assert listed(client, calendar, 2) == before, "nothing is done in part"


def test_an_unknown_table_flag(client: Client, calendar: int) -> None:
    request = permissions.TableRequest(permissions.TableFlags(0x81))
    assert client.ask(TABLE, request, on=calendar).code == ec.ecInvalidParam


@pytest.mark.covers(
    "MS-OXCPERM_3.2.4.1",
    "MS-OXCPERM_3.2.5.1",
    "MS-OXCPERM_R103",
    "MS-OXCPERM_R1120",
    "MS-OXCPERM_R115",
    "MS-OXCPERM_R116",
    "MS-OXCPERM_R115002",
    "MS-OXCPERM_R116001",
    "MS-OXCPERM_R1082",
    "MS-OXCPERM_R87",
    "MS-OXCPERM_R142",
    "MS-OXCPERM_R102",
    "MS-OXCPERM_R114",
)
def test_who_may_look_and_who_may_change(
    client: Client, connect: Callable[..., Client], calendar: int, bert: Entry, anna: Entry
) -> None:
    other = connect(bert)
    modify(client, calendar, 0, (CHANGE, {ID: 0, RIGHTS: 0}))
    modify(client, opened(client, client.logon()), 0, (CHANGE, {ID: 0, RIGHTS: 0x0400}))
    calendar = opened(client, client.logon(), Special.CALENDAR)
    logon = other.logon(anna)
    request = open_folder.Request(Special.CALENDAR, open_folder.OpenModeFlags(0))
    assert other.ask(open_folder.ROP, request, on=logon).code == ec.ecNotFound
    modify(client, calendar, 0, (ADD, {ENTRY: entry_id(bert), RIGHTS: 0x0400}))
    theirs = opened(other, logon, Special.CALENDAR)
    assert bert.id in [row[0] for row in listed(other, theirs)]
    mine = (CHANGE, {ID: bert.id, RIGHTS: 0x05FB})
    assert modify(other, theirs, 0, mine) == ec.ecAccessDenied
    modify(client, calendar, 0, (CHANGE, {ID: bert.id, RIGHTS: 0x0500}))
    assert modify(other, theirs, 0, mine) == 0


def grant(client: Client, user: Entry, right: Right) -> None:
    """The user's only rights in Anna's inbox."""
    folder = opened(client, client.logon())
    assert modify(client, folder, 0, (ADD, {ENTRY: entry_id(user), RIGHTS: int(right)})) == 0


class Guest:
    """What a user may do in somebody else's inbox."""

    def __init__(self, client: Client, owner: Entry) -> None:
        self.client, self.logon = client, client.logon(owner)

    def create(self) -> int:
        message = self.client.ask(
            create_message.ROP, create_message.Request(0x0FFF, Special.INBOX, False), on=self.logon
        )
        if message.code:
            return message.code
        set_(self.client, message.handle, {tags.PidTagSubject: "new"})
        return try_save(self.client, message.handle).code

    def read(self, mid: int) -> int:
        return open_(self.client, self.logon, mid, Special.INBOX, READ_ONLY).code

    def edit(self, mid: int) -> int:
        reply = open_(self.client, self.logon, mid, Special.INBOX, READ_WRITE)
        if reply.code:
            return reply.code
        set_(self.client, reply.handle, {tags.PidTagSubject: "changed"})
        return try_save(self.client, reply.handle).code

    def delete(self, mid: int) -> bool:
        folder = opened(self.client, self.logon)
        request = delete_messages.Request(False, False, (mid,))
        reply = self.client.ask(delete_messages.SOFT, request, on=folder)
        return reply.code == 0 and not reply.body.partial_completion

    def subfolder(self) -> int:
        folder = opened(self.client, self.logon)
        request = create_folder.Request(1, True, False, 0, "Sub", "")
        return self.client.ask(create_folder.ROP, request, on=folder).code


@pytest.fixture
def guest(
    client: Client, connect: Callable[..., Client], bert: Entry, anna: Entry
) -> Callable[[Right], Guest]:
    def make(right: Right) -> Guest:
        grant(client, bert, right | Right.FOLDER_VISIBLE)
        return Guest(connect(bert), anna)

    return make


def mine(guest: Callable[[Right], Guest], office: Office, anna: Entry) -> int:
    """A message in Anna's inbox that the guest created."""
    before = {row.mid for row in inbox_of(office, anna)}
    assert guest(Right.CREATE).create() == 0
    (made,) = {row.mid for row in inbox_of(office, anna)} - before
    return made


def inbox_of(office: Office, anna: Entry) -> list[Row]:
    with office.store.read() as txn:
        return list(contents.rows(txn, anna.mailbox, Special.INBOX))


DENIED = ec.ecAccessDenied


@pytest.mark.covers(
    "MS-OXCPERM_R143", "MS-OXCPERM_R144", "MS-OXCPERM_R139", "MS-OXCPERM_R140", "MS-OXCPERM_R141"
)
def test_reading_and_creating(guest: Callable[[Right], Guest], office: Office, anna: Entry) -> None:
    row = append(office, anna)
    nothing = guest(Right.NONE)
    assert nothing.read(row.mid) == DENIED
    assert nothing.create() == DENIED
    assert guest(Right.READ_ANY).read(row.mid) == 0
    assert guest(Right.READ_ANY).create() == DENIED
    assert guest(Right.CREATE).create() == 0
    assert guest(Right.CREATE).read(row.mid) == DENIED


@pytest.mark.covers(
    "MS-OXCPERM_R130",
    "MS-OXCPERM_R131",
    "MS-OXCPERM_R132",
    "MS-OXCPERM_R123",
    "MS-OXCPERM_R124",
    "MS-OXCPERM_R125",
)
def test_editing(guest: Callable[[Right], Guest], office: Office, anna: Entry) -> None:
    theirs = append(office, anna).mid
    own = mine(guest, office, anna)
    reads = guest(Right.READ_ANY)
    assert (reads.edit(own), reads.edit(theirs)) == (DENIED, DENIED)
    owned = guest(Right.READ_ANY | Right.EDIT_OWNED)
    assert (owned.edit(own), owned.edit(theirs)) == (0, DENIED)
    every = guest(Right.READ_ANY | Right.EDIT_ANY)
    assert (every.edit(own), every.edit(theirs)) == (0, 0)


@pytest.mark.covers(
    "MS-OXCPERM_R126",
    "MS-OXCPERM_R127",
    "MS-OXCPERM_R128",
    "MS-OXCPERM_R120",
    "MS-OXCPERM_R121",
    "MS-OXCPERM_R122",
)
def test_deleting(guest: Callable[[Right], Guest], office: Office, anna: Entry) -> None:
    theirs = append(office, anna).mid
    own, second = mine(guest, office, anna), mine(guest, office, anna)
    reads = guest(Right.READ_ANY)
    assert (reads.delete(own), reads.delete(theirs)) == (False, False)
    owned = guest(Right.READ_ANY | Right.DELETE_OWNED)
    assert (owned.delete(own), owned.delete(theirs)) == (True, False)
    every = guest(Right.READ_ANY | Right.DELETE_ANY)
    assert (every.delete(second), every.delete(theirs)) == (True, True)
    assert inbox_of(office, anna) == []


@pytest.mark.covers(
    "MS-OXCPERM_R117", "MS-OXCPERM_R118", "MS-OXCPERM_R119", "MS-OXCPERM_R3003", "MS-OXCPERM_R1093"
)
def test_subfolders(guest: Callable[[Right], Guest]) -> None:
    assert guest(Right.READ_ANY).subfolder() == DENIED
    assert guest(Right.FOLDER_CONTACT).subfolder() == DENIED
    assert guest(Right.CREATE_SUBFOLDER).subfolder() == 0
