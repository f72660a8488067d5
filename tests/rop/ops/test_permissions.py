"""Permissions of folders through ROPs (MS-OXCPERM, MS-OXCROPS 2.2.10)."""

from collections.abc import Callable

import pytest

from appliance.directory.model import Entry
from appliance.directory.properties import entry_id
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.rop import batch
from appliance.rop.ops import open_folder, permissions
from appliance.store import permissions as rows
from appliance.store.mailboxes import Special
from appliance.store.permissions import ANONYMOUS, DEFAULT, Right
from tests.rop.kit import Client
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
        assert rows.members(txn, anna.mailbox, Special.CALENDAR)[bert.id] == EDITOR
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
    assert members()[bert.id] == Right(0x0401)
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
