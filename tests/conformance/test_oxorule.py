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


def block(kind: int, data: bytes = b"", flavor: int = 0) -> bytes:
    """An ActionBlock of a standard rule. MS-OXORULE 2.2.5.1."""
    body = struct.pack("<BII", kind, flavor, 0) + data
    return struct.pack("<H", len(body)) + body


def eid(data: bytes) -> bytes:
    """Bytes with their size."""
    return struct.pack("<H", len(data)) + data


RECIPIENT = struct.pack("<BH", 1, 2) + tagged({0x3001001F: "One", 0x0C150003: 1})
MOVED = b"\x01" + eid(b"\0") + eid(b"\x01" + bytes(20))
TEMPLATE = bytes(range(8)) + bytes(range(8, 16)) + bytes(range(16))
BLOCKS = {
    "OP_MOVE": block(0x01, MOVED),
    "OP_COPY": block(0x02, MOVED),
    "OP_REPLY": block(0x03, TEMPLATE, 0x02),
    "OP_OOF_REPLY": block(0x04, TEMPLATE),
    "OP_DEFER_ACTION": block(0x05, b"whatever the client wants"),
    "OP_BOUNCE": block(0x06, struct.pack("<I", 0x26)),
    "OP_FORWARD": block(0x07, struct.pack("<H", 1) + RECIPIENT, 0x01),
    "OP_DELEGATE": block(0x08, struct.pack("<H", 1) + RECIPIENT),
    "OP_TAG": block(0x09, tagged({0x00170003: 2})),
    "OP_DELETE": block(0x0A),
    "OP_MARK_AS_READ": block(0x0B),
}


def stored_cells(desk: Desk, folder: int, tag: int) -> bytes:
    """What the only rule has, in the bytes of the row."""
    table = desk.must(get_table(), [folder, NONE]).out
    desk.columns(table, [tag])
    rop = struct.pack("<BBBBBH", 0x15, 0, 0, 0, 1, 10)
    row = desk.must(rop, [table], lambda reader: reader.rest()).value
    assert isinstance(row, bytes)
    assert row[:4] == b"\x02\x01\x00\x00"
    desk.release(table)
    return row[4:]


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_every_action_is_kept(desk: Desk, inbox: int, name: str) -> None:
    actions = struct.pack("<H", 2) + BLOCKS[name] + block(0x0B)
    assert desk.call(modify([(ADD, {**rule(), ACTIONS: actions})]), [inbox]).code == OK
    assert stored_cells(desk, inbox, ACTIONS) == actions


NAME_IS = SUBJECT.to_bytes(4, "little") * 2 + "a\0".encode("utf-16-le")
CONDITIONS = {
    "RES_AND": b"\x00" + struct.pack("<H", 2) + EXISTS * 2,
    "RES_OR": b"\x01" + struct.pack("<H", 2) + EXISTS * 2,
    "RES_NOT": b"\x02" + EXISTS,
    "RES_CONTENT": struct.pack("<BHH", 0x03, 0x0001, 0x0001) + NAME_IS,
    "RES_PROPERTY": struct.pack("<BB", 0x04, 0x04) + NAME_IS,
    "RES_COMPAREPROPS": struct.pack("<BBII", 0x05, 0x04, 0x0037001F, 0x0070001F),
    "RES_BITMASK": struct.pack("<BBII", 0x06, 1, 0x0E070003, 1),
    "RES_SIZE": struct.pack("<BBII", 0x07, 0x02, 0x0E080003, 100),
    "RES_EXIST": EXISTS,
    "RES_SUBOBJECT": struct.pack("<BI", 0x09, 0x0E12000D) + struct.pack("<BI", 0x08, 0x3003001F),
    "RES_COUNT": struct.pack("<BI", 0x0B, 3) + EXISTS,
}


@pytest.mark.parametrize("name", sorted(CONDITIONS))
def test_every_condition_is_kept(desk: Desk, inbox: int, name: str) -> None:
    condition = CONDITIONS[name]
    assert desk.call(modify([(ADD, {**rule(), CONDITION: condition})]), [inbox]).code == OK
    assert stored_cells(desk, inbox, CONDITION) == condition


WRONG: dict[str, tuple[int, dict[int, Value], int]] = {
    "no properties": (ADD, {}, 0),
    "no provider": (ADD, {tag: value for tag, value in rule().items() if tag != PROVIDER}, 0),
    "a property that is none of a rule's": (ADD, {**rule(), SUBJECT: "no"}, 0),
    "a change without an id": (MODIFY, {NAME: "changed"}, 0),
    "a removal without an id": (REMOVE, {NAME: "changed"}, 0),
    "a change while all are replaced": (MODIFY, {RULE_ID: 1, NAME: "changed"}, 1),
    "no actions": (ADD, {**rule(), ACTIONS: struct.pack("<H", 0)}, 0),
}


@pytest.mark.covers("MS-OXORULE_R594")
@pytest.mark.parametrize("name", sorted(WRONG))
def test_wrong_rules_change_nothing(desk: Desk, inbox: int, name: str) -> None:
    """All or nothing: the right rule beside the wrong one is not taken either."""
    desk.must(modify([(ADD, rule("kept"))]), [inbox])
    kind, values, flags = WRONG[name]
    answer = desk.call(modify([(ADD, rule("beside")), (kind, values)], flags), [inbox])
    assert answer.code != OK
    assert [row[NAME] for row in listed(desk, inbox)] == ["kept"]


def test_rules_come_in_the_order_of_their_sequence(desk: Desk, inbox: int) -> None:
    """3.2.1.2, and a table that is sorted or restricted as others are."""
    desk.must(
        modify([(ADD, rule(name, number)) for name, number in (("c", 30), ("a", 10), ("b", 20))]), [inbox]
    )
    assert [row[NAME] for row in listed(desk, inbox)] == ["a", "b", "c"]
    table = desk.must(get_table(), [inbox, NONE]).out
    desk.columns(table, [NAME])
    restriction = struct.pack("<BBII", 0x04, 0x02, SEQUENCE, SEQUENCE) + struct.pack("<I", 20)
    rop = struct.pack("<BBBBH", 0x14, 0, 0, 0, len(restriction)) + restriction
    desk.must(rop, [table], lambda reader: reader.u8())
    assert [row[NAME] for row in desk.rows(table, [NAME])] == ["c"]


def test_rules_belong_to_their_folder_and_live_with_it(desk: Desk, inbox: int) -> None:
    parent = desk.open_folder(desk.folders["ipm"])
    fid, folder = desk.create_folder(parent, "Ruled")
    desk.must(modify([(ADD, rule("here"))]), [folder])
    assert listed(desk, inbox) == []
    assert [row[NAME] for row in listed(desk, folder)] == ["here"]
    (row,) = listed(desk, folder)
    answer = desk.call(modify([(REMOVE, {RULE_ID: row[RULE_ID]})]), [inbox])
    assert answer.code == NOT_FOUND
    desk.release(folder)
    assert [each[NAME] for each in listed(desk, desk.open_folder(fid))] == ["here"]


@pytest.mark.covers("MS-OXORULE_R152", "MS-OXORULE_R161", "MS-OXORULE_R165", "MS-OXORULE_R168")
@pytest.mark.covers("MS-OXORULE_R171")
def test_an_extended_rule_is_an_associated_message(desk: Desk, inbox: int) -> None:
    """2.2.4: the server keeps what the client writes, however long."""
    condition = struct.pack("<H", 0) + EXISTS
    actions = struct.pack("<HIIH", 0, 1, 0, 0) + bytes(9000)
    values: dict[int, Value] = {
        CLASS: "IPM.ExtendedRule.Message",
        0x65EC001F: "extended",  # PidTagRuleMessageName
        0x65F30003: 10,  # PidTagRuleMessageSequence
        0x65E90003: 1,  # PidTagRuleMessageState
        0x65EB001F: "RuleOrganizer",  # PidTagRuleMessageProvider
        0x0E990102: actions,  # PidTagExtendedRuleMessageActions
        0x0E9A0102: condition,  # PidTagExtendedRuleMessageCondition
    }
    mid = desk.message(desk.folders["inbox"], values, True)
    assert desk.look(desk.folders["inbox"], mid, *values) == values
    assert listed(desk, inbox) == [], "no standard rule"
    assert [row[CLASS] for row in desk.in_folder(inbox, [CLASS], 0x12)] == ["IPM.ExtendedRule.Message"]


@pytest.mark.covers("MS-OXORULE_R614", "MS-OXORULE_R617")
def test_updating_what_no_message_is_about(desk: Desk) -> None:
    rop = struct.pack("<BBB", 0x57, 0, 0) + eid(b"of nothing") + eid(b"new")
    assert desk.call(rop, [desk.logon]).code == OK


def test_rules_of_a_folder_that_went(desk: Desk) -> None:
    parent = desk.open_folder(desk.folders["ipm"])
    fid, folder = desk.create_folder(parent, "Gone")
    desk.must(modify([(ADD, rule())]), [folder])
    desk.must(struct.pack("<BBBB", 0x1D, 0, 0, 0x15) + fid, [parent], lambda reader: reader.u8())
    assert desk.call(modify([(ADD, rule())]), [folder]).code != OK
    assert desk.call(get_table(), [folder, NONE]).code != OK
