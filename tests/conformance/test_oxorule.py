"""MS-OXORULE: the rules of a folder as they are stored, and the ROPs for them."""

import struct
from collections.abc import Iterator

import pytest

from tests.conformance import fxdesk
from tests.conformance.fxdesk import CLASS, INVALID_PARAMETER, NONE, NOT_FOUND, NULL_OBJECT, OK, SUBJECT, Desk
from tests.conformance.office import Person
from tests.conformance.wire import Value, tagged

RULE_ID, SEQUENCE, STATE, NAME, PROVIDER = 0x66740014, 0x66760003, 0x66770003, 0x6682001F, 0x6681001F
LEVEL, USER_FLAGS, PROVIDER_DATA = 0x66830003, 0x66780003, 0x66840102
CONDITION, ACTIONS = 0x667900FD, 0x668000FE
HAS_RULES = 0x663A000B
COLUMNS = [RULE_ID, SEQUENCE, STATE, NAME, PROVIDER, LEVEL, USER_FLAGS, PROVIDER_DATA]
ADD, MODIFY, REMOVE = 1, 2, 4
EXISTS = struct.pack("<BI", 0x08, SUBJECT)
MARK_AS_READ = struct.pack("<HHBII", 1, 9, 0x0B, 0, 0)


@pytest.fixture
def desk(anna: Person) -> Iterator[Desk]:
    """Anna at her desk."""
    made = fxdesk.desk(anna)
    yield made
    made.mapi.close()


@pytest.fixture
def inbox(desk: Desk) -> int:
    """Her Inbox."""
    return desk.open_folder(desk.folders["inbox"])


def modify(rules: list[tuple[int, dict[int, Value]]], flags: int = 0) -> bytes:
    """RopModifyRules. MS-OXCROPS 2.2.11.1.1."""
    body = b"".join(bytes([kind]) + struct.pack("<H", len(values)) + tagged(values) for kind, values in rules)
    return struct.pack("<BBBBH", 0x41, 0, 0, flags, len(rules)) + body


def rule(name: str = "rule", sequence: int = 10, **more: Value) -> dict[int, Value]:
    """The properties of a rule that marks as read whatever has a subject."""
    made: dict[int, Value] = {
        SEQUENCE: sequence,
        STATE: 1,
        NAME: name,
        PROVIDER: "RuleOrganizer",
        LEVEL: 0,
        USER_FLAGS: 7,
        PROVIDER_DATA: b"\x01\x02\x03",
        CONDITION: EXISTS,
        ACTIONS: MARK_AS_READ,
    }
    made.update({STATE: more["state"]} if "state" in more else {})
    return made


def get_table(flags: int = 0x40) -> bytes:
    """RopGetRulesTable. MS-OXCROPS 2.2.11.2.1."""
    return struct.pack("<BBBBB", 0x3F, 0, 0, 1, flags)


def listed(desk: Desk, folder: int, columns: list[int] | None = None) -> list[dict[int, Value]]:
    """The rules of a folder."""
    columns = columns or COLUMNS
    table = desk.must(get_table(), [folder, NONE]).out
    desk.columns(table, columns)
    rows = desk.rows(table, columns)
    desk.release(table)
    return rows


@pytest.mark.covers(
    "MS-OXORULE_R14",
    "MS-OXORULE_R96",
    "MS-OXORULE_R100",
    "MS-OXORULE_R121",
    "MS-OXORULE_R122",
    "MS-OXORULE_R123",
    "MS-OXORULE_R133",
    "MS-OXORULE_R596",
    "MS-OXORULE_R597",
    "MS-OXORULE_R612",
)
@pytest.mark.covers("MS-OXORULE_R680", "MS-OXORULE_R778", "MS-OXORULE_R779", "MS-OXORULE_R611")
def test_a_rule_is_added_and_listed(desk: Desk, inbox: int) -> None:
    assert desk.call(modify([(ADD, rule())]), [inbox]).code == OK
    (row,) = listed(desk, inbox)
    assert isinstance(row[RULE_ID], int)
    assert row[RULE_ID] != 0
    wanted = {SEQUENCE: 10, STATE: 1, NAME: "rule", PROVIDER: "RuleOrganizer", LEVEL: 0, USER_FLAGS: 7}
    assert {tag: row[tag] for tag in wanted} == wanted
    assert row[PROVIDER_DATA] == b"\x01\x02\x03"


@pytest.mark.covers("MS-OXORULE_R598")
def test_ids_of_rules_are_their_own(desk: Desk, inbox: int) -> None:
    desk.must(modify([(ADD, rule(f"rule {index}", index)) for index in range(5)]), [inbox])
    rows = listed(desk, inbox)
    assert len({row[RULE_ID] for row in rows}) == 5
    assert sorted(str(row[NAME]) for row in rows) == [f"rule {index}" for index in range(5)]


@pytest.mark.covers("MS-OXORULE_R669", "MS-OXORULE_R671")
def test_rules_are_added_to_others_or_replace_them(desk: Desk, inbox: int) -> None:
    desk.must(modify([(ADD, rule("first"))]), [inbox])
    desk.must(modify([(ADD, rule("second"))]), [inbox])
    assert sorted(str(row[NAME]) for row in listed(desk, inbox)) == ["first", "second"]
    desk.must(modify([(ADD, rule("third"))], 0x01), [inbox])
    assert [row[NAME] for row in listed(desk, inbox)] == ["third"]
    desk.must(modify([], 0x01), [inbox])
    assert listed(desk, inbox) == []


def test_a_rule_is_modified_and_removed(desk: Desk, inbox: int) -> None:
    desk.must(modify([(ADD, rule("first")), (ADD, rule("second"))]), [inbox])
    rows = {str(row[NAME]): row for row in listed(desk, inbox)}
    changed: dict[int, Value] = {RULE_ID: rows["first"][RULE_ID], SEQUENCE: 99, STATE: 0}
    desk.must(modify([(MODIFY, changed)]), [inbox])
    after = {str(row[NAME]): row for row in listed(desk, inbox)}
    assert (after["first"][SEQUENCE], after["first"][STATE]) == (99, 0)
    assert after["first"][PROVIDER_DATA] == b"\x01\x02\x03", "what was not named stays"
    assert after["second"] == rows["second"]
    desk.must(modify([(REMOVE, {RULE_ID: rows["first"][RULE_ID]})]), [inbox])
    assert [row[NAME] for row in listed(desk, inbox)] == ["second"]


def test_rules_that_are_not_there(desk: Desk, inbox: int) -> None:
    for kind in (MODIFY, REMOVE):
        answer = desk.call(modify([(kind, {RULE_ID: 0x7777000000000001, SEQUENCE: 1})]), [inbox])
        assert answer.code == NOT_FOUND


@pytest.mark.covers("MS-OXORULE_R821", "MS-OXORULE_R822", "MS-OXORULE_R594")
@pytest.mark.parametrize("flags", [0x02, 0x80])
def test_unknown_flags(desk: Desk, inbox: int, flags: int) -> None:
    assert desk.call(modify([(ADD, rule())], flags), [inbox]).code == INVALID_PARAMETER
    assert listed(desk, inbox) == []


@pytest.mark.covers("MS-OXORULE_R594")
@pytest.mark.parametrize("kind", [0x00, 0x03, 0x08])
def test_unknown_flags_of_one_rule(desk: Desk, inbox: int, kind: int) -> None:
    assert desk.call(modify([(kind, rule())]), [inbox]).code == INVALID_PARAMETER


@pytest.mark.covers(
    "MS-OXORULE_R844", "MS-OXORULE_R846", "MS-OXORULE_R888", "MS-OXORULE_R66", "MS-OXORULE_R77"
)
@pytest.mark.parametrize("state", [0x02, 0x40, 0x80, 0x100, 0x10000])
def test_states_that_are_the_server_s_or_nobody_s(desk: Desk, inbox: int, state: int) -> None:
    assert desk.call(modify([(ADD, rule(state=1 | state))]), [inbox]).code == OK


@pytest.mark.covers("MS-OXORULE_R604", "MS-OXORULE_R605", "MS-OXORULE_R606")
def test_a_folder_says_whether_it_has_rules(desk: Desk, inbox: int) -> None:
    assert desk.get(inbox, HAS_RULES) in ({HAS_RULES: False}, {HAS_RULES: ("error", NOT_FOUND)})
    desk.must(modify([(ADD, rule())]), [inbox])
    assert desk.get(inbox, HAS_RULES) == {HAS_RULES: True}
    desk.must(modify([], 0x01), [inbox])
    assert desk.get(inbox, HAS_RULES) == {HAS_RULES: False}


@pytest.mark.covers("MS-OXORULE_R127")
def test_strings_of_the_table(desk: Desk, inbox: int) -> None:
    desk.must(modify([(ADD, rule("Grüße"))]), [inbox])
    assert listed(desk, inbox, [NAME]) == [{NAME: "Grüße"}]
    table = desk.must(get_table(0x00), [inbox, NONE]).out
    narrow = NAME & 0xFFFF0000 | 0x1E
    desk.columns(table, [narrow])
    assert desk.rows(table, [narrow]) == [{narrow: "Grüße".encode("cp1252")}]


@pytest.mark.covers("MS-OXORULE_R690", "MS-OXORULE_R608")
def test_tables_of_what_is_no_folder(desk: Desk) -> None:
    assert desk.call(get_table(), [NONE, NONE]).code == NULL_OBJECT
    assert desk.call(get_table(), [desk.logon, NONE]).code == fxdesk.NOT_SUPPORTED
    assert desk.call(modify([(ADD, rule())]), [desk.logon]).code == fxdesk.NOT_SUPPORTED


def test_conditions_and_actions_come_back(desk: Desk, inbox: int) -> None:
    desk.must(modify([(ADD, rule())]), [inbox])
    table = desk.must(get_table(), [inbox, NONE]).out
    desk.columns(table, [CONDITION, ACTIONS])
    rop = struct.pack("<BBBBBH", 0x15, 0, 0, 0, 1, 10)
    answer = desk.must(rop, [table], lambda reader: reader.rest())
    row = answer.value
    assert isinstance(row, bytes)
    assert row[:4] == b"\x02\x01\x00\x00", "one row, of nothing but values"
    assert row[4:] == EXISTS + MARK_AS_READ


@pytest.mark.covers("MS-OXORULE_R594")
def test_actions_that_are_none_are_refused(desk: Desk, inbox: int) -> None:
    values = {**rule(), ACTIONS: struct.pack("<HHBII", 1, 9, 0x77, 0, 0)}
    answer = desk.call(modify([(ADD, values)]), [inbox])
    assert answer.code != OK


@pytest.mark.covers(
    "MS-OXORULE_R136",
    "MS-OXORULE_R145",
    "MS-OXORULE_R147",
    "MS-OXORULE_R617",
    "MS-OXORULE_R618",
    "MS-OXORULE_R619",
    "MS-OXORULE_R620",
)
def test_deferred_action_messages_are_updated(desk: Desk) -> None:
    """PidTagDeferredActionMessageOriginalEntryId and PidTagDamBackPatched: 2.2.6.8, 2.2.6.2."""
    folder = desk.folders["deferred"]
    ids = [b"server's id", b"another one"]
    mids = [
        desk.message(folder, {CLASS: "IPC.Microsoft Exchange 4.0.Deferred Action", 0x674100FB: each})
        for each in ids
    ]
    rop = struct.pack("<BBB", 0x57, 0, 0)
    for each in (ids[0], b"client's id"):
        rop += struct.pack("<H", len(each)) + each
    assert desk.call(rop, [desk.logon]).code == OK
    found = [desk.look(folder, mid, 0x674100FB, 0x6647000B) for mid in mids]
    assert found[0] == {0x674100FB: b"client's id", 0x6647000B: True}
    assert found[1][0x674100FB] == b"another one"
    assert found[1][0x6647000B] is not True


def test_updating_needs_a_logon(desk: Desk, inbox: int) -> None:
    rop = struct.pack("<BBBHH", 0x57, 0, 0, 0, 0)
    assert desk.call(rop, [inbox]).code == fxdesk.NOT_SUPPORTED
    assert desk.call(rop, [NONE]).code == NULL_OBJECT
