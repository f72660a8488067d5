"""Permissions of folders and rules through ROPs (MS-OXCPERM, MS-OXORULE, MS-OXCROPS 2.2.10, 2.2.11)."""

from collections.abc import Callable
from typing import Any

import pytest

from appliance.directory.model import Entry
from appliance.mailbox.rights import ROLES
from appliance.mapi import errors as ec
from appliance.mapi import restrictions as r
from appliance.mapi import tags
from appliance.mapi.entryids import AddressBookType, PermanentEntryId
from appliance.rop import batch
from appliance.rop.batch import NO_HANDLE
from appliance.rop.ops import permissions as ops
from appliance.rop.ops import rules as rule_ops
from appliance.store import contents as rows
from appliance.store import messages, permissions
from appliance.store.mailboxes import Special
from appliance.store.permissions import DEFAULT
from tests.rop.kit import Client, Reply
from tests.rop.ops.foldering import create, delete_some, opening
from tests.rop.ops.tabling import FORM, Grid, contents, insert, opened
from tests.transport.office import Office

ADD, MODIFY, REMOVE = 1, 2, 4
REPLACE, FREE_BUSY = 1, 2
COLUMNS = (tags.PidTagMemberId, tags.PidTagMemberName, tags.PidTagEntryId, tags.PidTagMemberRights)
ID, ENTRY, RIGHTS = tags.PidTagMemberId, tags.PidTagEntryId, tags.PidTagMemberRights


@pytest.fixture
def bob(office: Office) -> Entry:
    return office.user("bob@example.test", display_name="Bob Builder")


@pytest.fixture
def logon(client: Client) -> int:
    return client.logon()


@pytest.fixture
def inbox(client: Client, logon: int) -> int:
    return opened(client, logon)


def entry_id(entry: Entry) -> bytes:
    kind = AddressBookType.DISTRIBUTION_LIST if entry.is_group else AddressBookType.LOCAL_USER
    return PermanentEntryId(entry.legacy_dn, kind).pack()


def table(client: Client, folder: int, flags: int = FREE_BUSY, columns: tuple[int, ...] = COLUMNS) -> Grid:
    request = ops.TableRequest(ops.TableFlags(flags))
    return Grid(client, client.do(ops.TABLE, request, on=folder).handle).show(*columns)


def listed(client: Client, folder: int, flags: int = FREE_BUSY) -> list[tuple[Any, ...]]:
    return table(client, folder, flags).rows()


def modify(client: Client, folder: int, *changes: tuple[int, dict[int, Any]], flags: int = 0) -> Reply:
    data = tuple(ops.PermissionData(what, tuple(values.items())) for what, values in changes)
    return client.ask(ops.MODIFY, ops.ModifyRequest(ops.ModifyFlags(flags), data), on=folder)


def add(entry: Entry, rights: int) -> tuple[int, dict[int, Any]]:
    return ADD, {ENTRY: entry_id(entry), RIGHTS: rights}


@pytest.mark.covers(
    "MS-OXCROPS_2.2.10.1", "MS-OXCROPS_2.2.10.1.1", "MS-OXCROPS_2.2.10.1.2",
    "MS-OXCROPS_2.2.10.2", "MS-OXCROPS_2.2.10.2.1", "MS-OXCROPS_2.2.10.2.2",
    "MS-OXCPERM_2.1", "MS-OXCPERM_2.2", "MS-OXCPERM_2.2.1", "MS-OXCPERM_2.2.1.1", "MS-OXCPERM_2.2.1.2",
    "MS-OXCPERM_2.2.2", "MS-OXCPERM_2.2.2.2", "MS-OXCPERM_2.2.6", "MS-OXCPERM_2.2.5", "MS-OXCPERM_2.2.4",
    "MS-OXCPERM_2.8.1", "MS-OXCPERM_2.8.1.1", "MS-OXCPERM_2.11.1", "MS-OXCPERM_2.11.2.1",
    "MS-OXCPERM_2.752", "MS-OXCPERM_2.849", "MS-OXCPERM_2.850", "MS-OXCPERM_2.851", "MS-OXCPERM_R1082",
    "MS-OXCPERM_R87", "MS-OXCPERM_3.1.4.1",
)  # fmt: skip
def test_the_bytes_of_a_list(client: Client, inbox: int) -> None:
    (answer,) = client.raw(batch.pack(bytes.fromhex("3E 00 00 01 00"), [inbox, NO_HANDLE]))
    assert answer[2:8] == bytes.fromhex("3E 01 00000000")
    handle = int.from_bytes(answer[12:16], "little")
    requests = bytes.fromhex(
        "40 00 00 00 0100 02 0200 14007166 0000000000000000 03007366 01040000"  # the default member: 0x401
        "12 00 01 00 0400 0201FF0F 14007166 1F007266 03007366"
        "15 00 01 00 01 1000"
    )
    (answer,) = client.raw(batch.pack(requests, [inbox, handle]))
    expected = bytes.fromhex(
        "40 00 00000000"
        "12 01 00000000 00"
        "15 01 00000000 02 0200"
        "00 0000 0000000000000000 0000 01040000"
        "00 0000 FFFFFFFFFFFFFFFF 41006E006F006E0079006D006F00750073000000 00000000"
    )
    assert answer == batch.pack(expected, [inbox, handle])


@pytest.mark.covers(
    "MS-OXCPERM_2.2.2.1", "MS-OXCPERM_2.2.2.1.1", "MS-OXCPERM_3.2.5.2", "MS-OXCPERM_R154", "MS-OXCPERM_R155",
)  # fmt: skip
def test_changing_a_list(office: Office, client: Client, anna: Entry, bob: Entry, inbox: int) -> None:
    group = office.group("crew@example.test", bob)
    grid = table(client, inbox)
    assert modify(client, inbox, add(bob, 0x401), add(group, 0x400)).code == 0
    rows_now = grid.rows()
    assert rows_now[2][1:] == ("Bob Builder", entry_id(bob), 0x401)
    assert rows_now[3][2:] == (entry_id(group), 0x400)
    member = rows_now[2][0]
    assert modify(client, inbox, (MODIFY, {ID: member, RIGHTS: 0x7FB})).code == 0
    assert listed(client, inbox)[2][3] == 0x7FB
    assert modify(client, inbox, (MODIFY, {ID: 4711, RIGHTS: 1}), (REMOVE, {ID: 4712})).code == 0
    assert len(listed(client, inbox)) == 4
    assert modify(client, inbox, (REMOVE, {ID: member}), (MODIFY, {ID: -1, RIGHTS: 0x400})).code == 0
    assert [row[0] for row in listed(client, inbox)] == [0, -1, group.id]
    assert listed(client, inbox)[1][3] == 0x400
    assert modify(client, inbox, (MODIFY, {ID: 0, RIGHTS: 0x400})).code == 0
    assert modify(client, inbox, add(bob, 0x401), flags=REPLACE).code == 0
    assert [(row[0], row[3]) for row in listed(client, inbox)] == [(0, 0x400), (-1, 0), (bob.id, 0x401)]
    assert modify(client, inbox, (REMOVE, {ID: bob.id}), flags=REPLACE).code == ec.ecInvalidParam
    for what, values in (
        (0, {ID: 0, RIGHTS: 1}),
        (3, {ID: 0, RIGHTS: 1}),
        (MODIFY, {RIGHTS: 1}),
        (MODIFY, {ID: 0}),
        (MODIFY, {ID: 0, RIGHTS: 0x8000_0000 - (1 << 32)}),
        (ADD, {RIGHTS: 1}),
        (ADD, {ENTRY: b"nobody", RIGHTS: 1}),
        (ADD, {ENTRY: PermanentEntryId("/o=x/cn=nobody").pack(), RIGHTS: 1}),
    ):
        assert modify(client, inbox, (what, values)).code == ec.ecInvalidParam
    assert modify(client, inbox, flags=4).code == ec.ecInvalidParam
    assert len(listed(client, inbox)) == 3
    with office.store.read() as txn:
        assert permissions.members(txn, anna.mailbox, Special.INBOX) == {DEFAULT: 0x400, bob.id: 0x401}


@pytest.mark.covers(
    "MS-OXCPERM_R19", "MS-OXCPERM_R3001", "MS-OXCPERM_R40", "MS-OXCPERM_R96", "MS-OXCPERM_R90"
)
def test_free_busy_rights(office: Office, client: Client, bob: Entry, logon: int, inbox: int) -> None:
    calendar = opened(client, logon, Special.CALENDAR)
    assert modify(client, calendar, add(bob, 0x1C01), flags=FREE_BUSY).code == 0
    assert listed(client, calendar)[2][3] == 0x1C01
    assert listed(client, calendar, 0)[2][3] == 0x0401
    assert modify(client, calendar, (MODIFY, {ID: bob.id, RIGHTS: 0x400})).code == 0
    assert listed(client, calendar)[2][3] == 0x1C00
    assert modify(client, inbox, add(bob, 0x1C01), flags=FREE_BUSY).code == 0
    assert listed(client, inbox)[2][3] == 0x0401


@pytest.mark.covers(
    "MS-OXCPERM_3.2.5.1", "MS-OXCPERM_R180", "MS-OXCPERM_R181", "MS-OXCPERM_R182", "MS-OXCPERM_3.2.4.1",
    "MS-OXCPERM_R103", "MS-OXCPERM_R1120", "MS-OXCPERM_R114", "MS-OXCPERM_R115", "MS-OXCPERM_R116",
    "MS-OXCPERM_R115002", "MS-OXCPERM_R116001", "MS-OXCPERM_R102", "MS-OXCPERM_R142", "MS-OXCPERM_R143",
    "MS-OXCPERM_R144", "MS-OXCPERM_R117", "MS-OXCPERM_R118", "MS-OXCPERM_R119", "MS-OXCPERM_R120",
    "MS-OXCPERM_R121", "MS-OXCPERM_R122", "MS-OXCPERM_R139", "MS-OXCPERM_R3003",
)  # fmt: skip
def test_what_rights_allow(
    office: Office, client: Client, connect: Callable[..., Client], bob: Entry, anna: Entry, inbox: int
) -> None:
    row = insert(office, anna, "one")
    assert modify(client, inbox, add(bob, 0x001)).code == 0
    other = connect(bob)
    logon = other.logon(anna)
    assert opening(other, logon, Special.INBOX).code == ec.ecAccessDenied
    modify(client, inbox, (MODIFY, {ID: bob.id, RIGHTS: 0x400}))
    theirs = opening(other, logon, Special.INBOX).handle
    assert len(listed(other, theirs)) == 3
    request = ops.ModifyRequest(ops.ModifyFlags(0), ())
    assert other.ask(ops.MODIFY, request, on=theirs).code == ec.ecAccessDenied
    modify(client, inbox, (MODIFY, {ID: bob.id, RIGHTS: 0x401}))
    assert contents(other, theirs).rows() == ["one"]
    assert delete_some(other, theirs, row.mid).code == ec.ecAccessDenied
    assert create(other, theirs).code == ec.ecAccessDenied
    modify(client, inbox, (MODIFY, {ID: bob.id, RIGHTS: 0x4C1}))
    assert delete_some(other, theirs, row.mid).code == 0
    assert create(other, theirs).code == 0
    modify(client, inbox, (MODIFY, {ID: bob.id, RIGHTS: 0x700}))
    assert other.ask(ops.MODIFY, request, on=theirs).code == 0


@pytest.mark.covers(
    "MS-OXCPERM_R175", "MS-OXCPERM_R176", "MS-OXCPERM_R2016", "MS-OXCPERM_R2010", "MS-OXCPERM_R2005"
)
def test_whose_rights_apply(
    office: Office, client: Client, connect: Callable[..., Client], bob: Entry, anna: Entry, inbox: int
) -> None:
    group = office.group("crew@example.test", bob)
    modify(client, inbox, (MODIFY, {ID: 0, RIGHTS: 0x400}), (MODIFY, {ID: -1, RIGHTS: ROLES["owner"]}))
    other = connect(bob)
    theirs = opening(other, other.logon(anna), Special.INBOX).handle
    assert create(other, theirs).code == ec.ecAccessDenied
    modify(client, inbox, add(group, 0x480))
    assert create(other, theirs).code == 0
    modify(client, inbox, add(bob, 0x400))
    assert create(other, theirs, "Second").code == ec.ecAccessDenied


@pytest.mark.covers("MS-OXCTABL_R432", "MS-OXCTABL_R474", "MS-OXCTABL_R488", "MS-OXCTABL_R493")
def test_rows_of_the_list_follow_it(client: Client, bob: Entry, inbox: int) -> None:
    grid = table(client, inbox)
    assert grid.position() == (0, 2)
    modify(client, inbox, add(bob, 1))
    assert grid.position() == (0, 3)
    assert grid.find(r.Exist(ID)).code == ec.ecNotSupported
    assert grid.restrict(r.Exist(ID)).code == ec.ecNotSupported


# -- rules --------------------------------------------------------------------------------------------------

NAME, PROVIDER, STATE, SEQUENCE = (
    tags.PidTagRuleName,
    tags.PidTagRuleProvider,
    tags.PidTagRuleState,
    tags.PidTagRuleSequence,
)
CONDITION, ACTIONS = 0x667900FD, tags.PidTagRuleActions
DELETE = bytes.fromhex("0100 0900 0A 00000000 00000000")


def rule(name: str, sequence: int = 10) -> dict[int, Any]:
    condition = r.pack(r.Exist(tags.PidTagSubject), FORM)
    return {NAME: name, PROVIDER: "Test", STATE: 1, SEQUENCE: sequence, CONDITION: condition, ACTIONS: DELETE}


def change(client: Client, folder: int, *changes: tuple[int, dict[int, Any]], flags: int = 0) -> Reply:
    data = tuple(rule_ops.RuleData(what, tuple(values.items())) for what, values in changes)
    request = rule_ops.ModifyRequest(rule_ops.ModifyRulesFlags(flags), data)
    return client.ask(rule_ops.MODIFY, request, on=folder)


def rules_table(client: Client, folder: int, *columns: int) -> Grid:
    request = rule_ops.TableRequest(rule_ops.TableFlags(0x40))
    return Grid(client, client.do(rule_ops.TABLE, request, on=folder).handle).show(*columns)


@pytest.mark.covers(
    "MS-OXCROPS_2.2.11.1", "MS-OXCROPS_2.2.11.1.1", "MS-OXCROPS_2.2.11.1.1.1", "MS-OXCROPS_2.2.11.1.2",
    "MS-OXCROPS_2.2.11.2", "MS-OXCROPS_2.2.11.2.1", "MS-OXCROPS_2.2.11.2.2",
    "MS-OXORULE_2.2.1", "MS-OXORULE_2.2.1.1", "MS-OXORULE_2.2.1.2", "MS-OXORULE_2.2.2", "MS-OXORULE_2.2.2.1",
    "MS-OXORULE_2.2.2.2", "MS-OXORULE_3.2.5.2", "MS-OXORULE_3.2.5.3",
    "MS-OXCTABL_R830", "MS-OXCTABL_R832", "MS-OXCTABL_R836", "MS-OXCTABL_R841", "MS-OXCTABL_R845",
    "MS-OXCTABL_R849", "MS-OXCTABL_R854", "MS-OXCTABL_R874", "MS-OXCTABL_R877", "MS-OXCFOLD_R1035109",
)  # fmt: skip
def test_rules_are_kept(client: Client, logon: int, inbox: int) -> None:
    grid = rules_table(client, inbox, tags.PidTagRuleId, NAME, SEQUENCE, STATE, CONDITION, ACTIONS)
    assert change(client, inbox, (ADD, rule("second", 20)), (ADD, rule("first", 10))).code == 0
    shown = {row[1]: row for row in grid.rows()}
    assert shown["first"][2:] == (10, 1, rule("")[CONDITION], DELETE)
    assert opening(client, logon, Special.INBOX).body.has_rules is True
    first, second = shown["first"][0], shown["second"][0]
    assert (
        change(client, inbox, (MODIFY, {tags.PidTagRuleId: first, STATE: 0, NAME & ~1: "8 b\xefts"})).code
        == 0
    )
    grid.seek(0)
    assert {row[1]: row[3] for row in grid.rows()} == {"8 bïts": 0, "second": 1}
    assert change(client, inbox, (REMOVE, {tags.PidTagRuleId: second})).code == 0
    assert grid.position()[1] == 1
    assert grid.restrict(r.Property(r.RelOp.EQ, STATE, STATE, 0)).code == 0
    found = grid.find(r.Exist(NAME))
    assert found.code == 0
    assert (
        change(client, inbox, (REMOVE, {tags.PidTagRuleId: second}), (ADD, rule("x"))).code == ec.ecNotFound
    )
    assert change(client, inbox, (ADD, rule("only")), flags=1).code == 0
    grid.restrict(None)
    assert [row[1] for row in grid.rows()] == ["only"]
    for what, values, flags in (
        (8, rule("x"), 0),
        (MODIFY, rule("x"), 0),
        (ADD, {}, 0),
        (ADD, {tags.PidTagSubject: "x"}, 0),
        (REMOVE, {tags.PidTagRuleId: first}, 1),
        (ADD, rule("x"), 2),
    ):
        assert change(client, inbox, (what, values), flags=flags).code == ec.ecInvalidParam
    assert change(client, inbox, flags=1).code == 0
    assert grid.position()[1] == 0
    for rop, request in (
        (rule_ops.TABLE, rule_ops.TableRequest(rule_ops.TableFlags(0))),
        (rule_ops.MODIFY, rule_ops.ModifyRequest(rule_ops.ModifyRulesFlags(0), ())),
        (ops.TABLE, ops.TableRequest(ops.TableFlags(0))),
        (ops.MODIFY, ops.ModifyRequest(ops.ModifyFlags(0), ())),
    ):
        assert client.ask(rop, request, on=logon).code == ec.ecNotSupported
    assert client.ask(rule_ops.TABLE, rule_ops.TableRequest(rule_ops.TableFlags(1)), on=inbox).code != 0


@pytest.mark.covers(
    "MS-OXCROPS_2.2.11.3", "MS-OXCROPS_2.2.11.3.1", "MS-OXCROPS_2.2.11.3.2",
    "MS-OXORULE_R355", "MS-OXORULE_R617", "MS-OXORULE_R618", "MS-OXORULE_R619", "MS-OXORULE_R620",
    "MS-OXORULE_R145", "MS-OXORULE_R613",
)  # fmt: skip
def test_deferred_actions_learn_another_entry_id(
    office: Office, anna: Entry, client: Client, logon: int
) -> None:
    tag = tags.PidTagDeferredActionMessageOriginalEntryId
    daf = Special.DEFERRED_ACTION
    insert(office, anna, "mine", daf, props={tag: b"server"})
    insert(office, anna, "other", daf, props={tag: b"elsewhere"})
    (answer,) = client.raw(batch.pack(bytes.fromhex("57 00 00 0600") + b"server\x06\x00client", [logon]))
    assert answer == batch.pack(bytes.fromhex("57 00 00000000"), [logon])
    with office.store.read() as txn:
        bags = [messages.load(txn, anna.mailbox, row.mid).bag() for row in rows.rows(txn, anna.mailbox, daf)]
    assert [(bag[tag], bag.get(tags.PidTagDamBackPatched)) for bag in bags] == [
        (b"client", True),
        (b"elsewhere", None),
    ]
    request = rule_ops.DeferredRequest(b"a", b"b")
    assert client.ask(rule_ops.UPDATE_DEFERRED, request, on=opened(client, logon)).code == ec.ecNotSupported
