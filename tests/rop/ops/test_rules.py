"""Rules as they are kept (MS-OXORULE 2.2.1 to 2.2.3, MS-OXCROPS 2.2.11)."""

import pytest

from appliance.directory.model import Entry
from appliance.mapi import errors as ec
from appliance.mapi import restrictions as r
from appliance.mapi import tags
from appliance.mapi.types import Value
from appliance.mapi.values import rop_form
from appliance.rop import batch
from appliance.rop.ops import get_status, query_columns_all, rules, seek_row_fractional
from appliance.store import messages
from appliance.store import rules as stored
from appliance.store.mailboxes import Special
from tests.rop.kit import Client
from tests.rop.ops.items import get
from tests.rop.ops.tabling import Grid, insert, opened
from tests.transport.office import Office

TABLE, MODIFY, UPDATE = rules.ROPS
ID, NAME, SEQUENCE, PROVIDER = (
    tags.PidTagRuleId,
    tags.PidTagRuleName,
    tags.PidTagRuleSequence,
    tags.PidTagRuleProvider,
)
CONDITION = stored.PidTagRuleCondition
MATCHES = r.pack(r.Exist(tags.PidTagSubject), rop_form())
ACTIONS = b"\x01\x00" + b"\x09\x00" + b"\x0b" + bytes(8)  # one action: mark as read


@pytest.fixture
def inbox(client: Client) -> int:
    return opened(client, client.logon())


def rule(name: str, sequence: int = 10) -> dict[int, Value]:
    return {
        NAME: name,
        SEQUENCE: sequence,
        PROVIDER: "RuleOrganizer",
        tags.PidTagRuleState: 1,
        CONDITION: MATCHES,
        tags.PidTagRuleActions: ACTIONS,
    }


def modify(client: Client, folder: int, flags: int, *changes: tuple[int, dict[int, Value]]) -> int:
    data = tuple(rules.RuleData(kind, tuple(values.items())) for kind, values in changes)
    return client.ask(MODIFY, rules.ModifyRequest(flags, data), on=folder).code


def listed(client: Client, folder: int, *columns: int) -> list[object]:
    request = rules.TableRequest(rules.TableFlags.UNICODE)
    return Grid(client, client.do(TABLE, request, on=folder).handle).show(*columns).rows()


@pytest.mark.covers(
    "MS-OXCROPS_2.2.11.1",
    "MS-OXCROPS_2.2.11.1.1",
    "MS-OXCROPS_2.2.11.1.1.1",
    "MS-OXCROPS_2.2.11.1.2",
    "MS-OXCROPS_2.2.11.2",
    "MS-OXCROPS_2.2.11.2.1",
    "MS-OXCROPS_2.2.11.2.2",
    "MS-OXORULE_R14",
    "MS-OXORULE_R678",
    "MS-OXORULE_R679",
    "MS-OXORULE_R680",
)
def test_the_bytes(client: Client, inbox: int, office: Office, anna: Entry) -> None:
    values = b"\x1f\x00\x81\x66" + "Me\0".encode("utf-16-le") + b"\x03\x00\x76\x66\x0a\0\0\0"
    values += CONDITION.to_bytes(4, "little") + MATCHES
    values += tags.PidTagRuleActions.to_bytes(4, "little") + ACTIONS
    request = b"\x41\x00\x00\x00\x01\x00" + b"\x01\x04\x00" + values
    (data,) = client.raw(batch.pack(request, [inbox]))
    assert data == b"\x08\x00\x41\x00\0\0\0\0" + inbox.to_bytes(4, "little")
    with office.store.read() as txn:
        (kept,) = stored.rules(txn, anna.mailbox, Special.INBOX)
    assert (kept.provider, kept.sequence) == ("Me", 10)
    assert kept.bag[CONDITION] == MATCHES
    assert kept.bag[tags.PidTagRuleActions] == ACTIONS
    (data,) = client.raw(batch.pack(b"\x3f\x00\x00\x01\x40", [inbox, batch.NO_HANDLE]))
    assert data[:8] == b"\x08\x00\x3f\x01\0\0\0\0"
    assert data[12:] != batch.NO_HANDLE.to_bytes(4, "little")


@pytest.mark.covers(
    "MS-OXORULE_R596", "MS-OXORULE_R597", "MS-OXORULE_R598", "MS-OXORULE_R612", "MS-OXORULE_R669"
)
def test_rules_come_change_and_go(client: Client, inbox: int) -> None:
    assert modify(client, inbox, 0, (1, rule("b", 20)), (1, rule("a", 10))) == 0
    first, second = listed(client, inbox, ID, NAME, SEQUENCE, CONDITION, tags.PidTagRuleActions)
    assert first[1:] == ("a", 10, MATCHES, ACTIONS)  # type: ignore[index]
    assert second[1:3] == ("b", 20)  # type: ignore[index]
    number = first[0]  # type: ignore[index]
    assert number != second[0]  # type: ignore[index]
    assert modify(client, inbox, 0, (2, {ID: number, NAME: "new"})) == 0
    assert listed(client, inbox, NAME) == ["new", "b"]
    assert modify(client, inbox, 0, (4, {ID: number})) == 0
    assert listed(client, inbox, NAME) == ["b"]
    assert modify(client, inbox, 1, (1, rule("only"))) == 0
    assert listed(client, inbox, NAME) == ["only"]
    assert modify(client, inbox, 1) == 0
    assert listed(client, inbox, NAME) == []


@pytest.mark.parametrize(
    ("flags", "kind", "values", "code"),
    [
        (2, 1, rule("x"), ec.ecInvalidParam),
        (0, 8, rule("x"), ec.ecInvalidParam),
        (1, 2, {ID: 5, NAME: "x"}, ec.ecInvalidParam),
        (0, 1, {NAME: "x"}, ec.ecInvalidParam),
        (0, 1, {}, ec.ecInvalidParam),
        (0, 1, {**rule("x"), tags.PidTagSubject: "no"}, ec.ecInvalidParam),
        (0, 2, {ID: 12345, NAME: "x"}, ec.ecNotFound),
        (0, 4, {ID: 12345}, ec.ecNotFound),
        (0, 4, {NAME: "x"}, ec.ecInvalidParam),
    ],
)
def test_what_is_no_rule(
    client: Client, inbox: int, flags: int, kind: int, values: dict[int, Value], code: int
) -> None:
    assert modify(client, inbox, flags, (1, rule("fine")), (kind, values)) == code
    assert listed(client, inbox, NAME) == []


@pytest.mark.covers("MS-OXORULE_R815")
def test_too_many_rules(client: Client, inbox: int) -> None:
    many = [(1, {NAME: "x", PROVIDER: "p"})] * (stored.MAX_RULES // 4)
    for _ in range(4):
        assert modify(client, inbox, 0, *many) == 0
    assert modify(client, inbox, 0, many[0]) == ec.ecMAPIOOM


def test_an_unknown_table_flag(client: Client, inbox: int) -> None:
    request = rules.TableRequest(rules.TableFlags(0x41))
    assert client.ask(TABLE, request, on=inbox).code == ec.ecNotSupported


@pytest.mark.covers(
    "MS-OXCROPS_2.2.11.3",
    "MS-OXCROPS_2.2.11.3.1",
    "MS-OXCROPS_2.2.11.3.2",
    "MS-OXORULE_R136",
    "MS-OXORULE_R618",
    "MS-OXORULE_R619",
    "MS-OXORULE_R620",
    "MS-OXORULE_R355",
)
def test_deferred_action_messages_follow(client: Client, office: Office, anna: Entry) -> None:
    logon, key = client.logon(), tags.PidTagDeferredActionMessageOriginalEntryId
    mine = insert(office, anna, fid=Special.DEFERRED_ACTION, props={key: b"server"})
    other = insert(office, anna, fid=Special.DEFERRED_ACTION, props={key: b"another"})
    request = b"\x57\x00\x00" + b"\x06\x00server" + b"\x06\x00client"
    (data,) = client.raw(batch.pack(request, [logon]))
    assert data == b"\x08\x00\x57\x00\0\0\0\0" + logon.to_bytes(4, "little")
    with office.store.read() as txn:
        bag = messages.load(txn, anna.mailbox, mine.mid).bag()
        untouched = messages.load(txn, anna.mailbox, other.mid).bag()
    assert (bag[key], bag[tags.PidTagDamBackPatched]) == (b"client", True)
    assert untouched[key] == b"another"
    assert tags.PidTagDamBackPatched not in untouched


@pytest.mark.covers(
    "MS-OXCTABL_R830", "MS-OXCTABL_R832", "MS-OXCTABL_R836", "MS-OXCTABL_R841", "MS-OXCTABL_R845",
    "MS-OXCTABL_R849", "MS-OXCTABL_R854", "MS-OXCTABL_R874", "MS-OXCTABL_R877", "MS-OXCFOLD_R1035109",
)  # fmt: skip
def test_what_a_rules_table_does(client: Client, inbox: int) -> None:
    assert modify(client, inbox, 0, (1, rule("first", 1)), (1, rule("second", 2)), (1, rule("third", 3))) == 0
    request = rules.TableRequest(rules.TableFlags(0))
    made = Grid(client, client.do(TABLE, request, on=inbox).handle).show(tags.PidTagRuleName)
    assert sorted(made.rows()) == ["first", "second", "third"]
    assert made.position() == (3, 3)
    assert made.seek(-1, 1).rows_sought == -1
    assert made.do(get_status.ROP).table_status == 0
    assert tags.PidTagRuleName in made.do(query_columns_all.ROP).property_tags
    made.do(seek_row_fractional.ROP, seek_row_fractional.Request(0, 1))
    assert made.position() == (0, 3)
    found = made.find(r.Property(r.RelOp.EQ, tags.PidTagRuleName, tags.PidTagRuleName, "second"))
    assert made.cells(found.body.row_data, 1) == ["second"]
    assert (
        made.restrict(r.Property(r.RelOp.GT, tags.PidTagRuleSequence, tags.PidTagRuleSequence, 1)).code == 0
    )
    assert sorted(made.rows()) == ["second", "third"]
    assert made.sort((tags.PidTagRuleName, 0)).code == ec.ecNotSupported
    assert get(client, inbox, tags.PidTagFolderFlags) == [13]
