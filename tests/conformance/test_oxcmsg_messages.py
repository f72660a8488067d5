"""MS-OXCMSG: messages that are created, saved, opened; what another handle sees; status and read state."""

import pytest

from tests.conformance import tags
from tests.conformance.desk import DELETED, Desk, Folder
from tests.conformance.messages import (
    BEST_ACCESS,
    FORCE,
    KEEP_READ_ONLY,
    KEEP_READ_WRITE,
    READ_ONLY,
    READ_WRITE,
    SOFT_DELETED,
    TO,
    Opened,
    person,
)
from tests.conformance.office import Person
from tests.conformance.properties import missing
from tests.conformance.rop import NOT_FOUND, NULL_OBJECT, OBJECT_MODIFIED, UNKNOWN_CODE_PAGE
from tests.conformance.values import Error

BOGUS = 0x7FFF_FFFF_FF00_0001


def count(desk: Desk, folder: Folder, flags: int = 0x10) -> int:
    table, many = desk.contents(folder, flags)
    desk.release(table)
    return many


# creation


@pytest.mark.covers("MS-OXCMSG_R339", "MS-OXCMSG_R687", "MS-OXCMSG_R700", "MS-OXCMSG_R372", "MS-OXCMSG_R2181")
def test_a_new_message_is_there_when_it_is_saved(desk: Desk, inbox: Folder) -> None:
    message = desk.create_message(inbox)
    assert desk.set(message, {tags.SUBJECT: "new"}) == []
    assert count(desk, inbox) == 0
    number = desk.save(message)
    assert number & 0xFFFF == 1, "ReplicaId of the mailbox stands first"
    assert number >> 16 != 0
    assert count(desk, inbox) == 1
    assert desk.one(desk.opened(inbox, number), tags.SUBJECT) == "new"


@pytest.mark.covers("MS-OXCMSG_R340", "MS-OXCMSG_R341", "MS-OXCMSG_R342", "MS-OXCMSG_R343", "MS-OXCMSG_R347",
                    "MS-OXCMSG_R349", "MS-OXCMSG_R354", "MS-OXCMSG_R356", "MS-OXCMSG_R358",
                    "MS-OXCMSG_R1480", "MS-OXCMSG_R3016", "MS-OXCMSG_R364")  # fmt: skip
def test_a_new_message_has_its_first_properties(desk: Desk, inbox: Folder) -> None:
    message = desk.create_message(inbox)
    wanted = {
        tags.IMPORTANCE: 1,
        tags.MESSAGE_CLASS: "IPM.Note",
        tags.SENSITIVITY: 0,
        tags.MESSAGE_FLAGS: 0x409,
        tags.HAS_ATTACHMENTS: False,
        tags.ACCESS_LEVEL: 1,
        tags.HAS_NAMED: False,
        tags.DISPLAY_TO: "",
        tags.DISPLAY_CC: "",
        tags.DISPLAY_BCC: "",
    }
    assert dict(zip(wanted, desk.get(message, *wanted), strict=True)) == wanted
    assert desk.one(message, tags.ACCESS) in (3, 7)
    created, modified, key, size = desk.get(
        message, tags.CREATION_TIME, tags.MODIFICATION_TIME, tags.SEARCH_KEY, tags.MESSAGE_SIZE
    )
    assert created > 130_000_000_000_000_000
    assert modified == created
    assert len(key) == 16
    assert isinstance(size, int)


@pytest.mark.covers("MS-OXCMSG_R988", "MS-OXCMSG_R987", "MS-OXCMSG_R527")
@pytest.mark.parametrize("flag", [0x01, 0x80])
def test_an_associated_message_stands_in_the_associated_table(desk: Desk, inbox: Folder, flag: int) -> None:
    normal, before = count(desk, inbox), count(desk, inbox, 0x12)
    message = desk.create_message(inbox, associated=flag)
    assert desk.one(message, tags.MESSAGE_FLAGS) & tags.MF_FAI
    number = desk.save(message)
    assert (count(desk, inbox), count(desk, inbox, 0x12)) == (normal, before + 1)
    assert desk.one(desk.opened(inbox, number), tags.MESSAGE_FLAGS) & tags.MF_FAI


def test_a_message_is_not_created_in_a_folder_that_is_not_there(desk: Desk, inbox: Folder) -> None:
    desk.create_message(Folder(inbox.handle, BOGUS), expect=NOT_FOUND)


def test_two_messages_have_two_ids(desk: Desk, inbox: Folder) -> None:
    assert desk.saved(inbox)[1] != desk.saved(inbox)[1]


# saving


@pytest.mark.covers("MS-OXCMSG_R719", "MS-OXCMSG_R723", "MS-OXCMSG_R1906", "MS-OXCMSG_R1907")
@pytest.mark.parametrize("flags", [KEEP_READ_WRITE, FORCE, 0x08, 0x10])
def test_a_saved_message_can_be_changed_and_saved_again(desk: Desk, inbox: Folder, flags: int) -> None:
    message, number = desk.saved(inbox)
    assert desk.set(message, {tags.SUBJECT: "second"}) == []
    assert desk.save(message, flags) == number
    assert desk.set(message, {tags.SUBJECT: "third"}) == []
    assert desk.save(message, flags) == number
    assert desk.one(desk.opened(inbox, number), tags.SUBJECT) == "third"


@pytest.mark.covers("MS-OXCMSG_R1671")
def test_saving_read_only_leaves_the_message_open(desk: Desk, inbox: Folder) -> None:
    message = desk.create_message(inbox)
    assert desk.set(message, {tags.SUBJECT: "kept"}) == []
    desk.save(message, KEEP_READ_ONLY)
    assert desk.one(message, tags.SUBJECT) == "kept"


@pytest.mark.covers("MS-OXCMSG_R701", "MS-OXCMSG_R1847")
def test_saving_answers_through_the_folder(desk: Desk, inbox: Folder) -> None:
    message = desk.create_message(inbox)
    assert desk.save(message, parent=inbox.handle) != 0


@pytest.mark.covers("MS-OXCMSG_R704", "MS-OXCMSG_R703", "MS-OXCMSG_R1475", "MS-OXCMSG_R1460")
def test_a_change_is_not_seen_elsewhere_before_it_is_saved(desk: Desk, inbox: Folder) -> None:
    message, number = desk.saved(inbox)
    other = desk.opened(inbox, number)
    assert other != message
    assert desk.set(message, {tags.SUBJECT: "changed"}) == []
    assert desk.one(message, tags.SUBJECT) == "changed"
    assert desk.one(other, tags.SUBJECT) == "first"
    assert desk.one(desk.opened(inbox, number), tags.SUBJECT) == "first"
    desk.save(message)
    assert desk.one(desk.opened(inbox, number), tags.SUBJECT) == "changed"


@pytest.mark.covers("MS-OXCMSG_R705", "MS-OXCMSG_R1053", "MS-OXCMSG_R1461")
def test_the_second_of_two_writers_is_refused(desk: Desk, inbox: Folder) -> None:
    _, number = desk.saved(inbox)
    one, two = desk.opened(inbox, number), desk.opened(inbox, number)
    desk.set(one, {tags.SUBJECT: "one"})
    desk.set(two, {tags.SUBJECT: "two"})
    desk.save(one)
    desk.save(two, expect=OBJECT_MODIFIED)
    assert desk.one(desk.opened(inbox, number), tags.SUBJECT) == "one"


@pytest.mark.covers("MS-OXCMSG_R724", "MS-OXCMSG_R723", "MS-OXCMSG_R3022")
def test_the_second_of_two_writers_may_insist(desk: Desk, inbox: Folder) -> None:
    _, number = desk.saved(inbox)
    one, two = desk.opened(inbox, number), desk.opened(inbox, number)
    desk.set(one, {tags.SUBJECT: "one"})
    desk.set(two, {tags.SUBJECT: "two"})
    desk.save(one)
    desk.save(two, FORCE)
    assert desk.one(desk.opened(inbox, number), tags.SUBJECT) == "two"


@pytest.mark.covers("MS-OXCMSG_R1890", "MS-OXCMSG_R1889")
def test_saving_sets_the_times(desk: Desk, inbox: Folder) -> None:
    message, number = desk.saved(inbox)
    before = desk.get(message, tags.LOCAL_COMMIT_TIME, tags.MODIFICATION_TIME, tags.CHANGE_KEY)
    desk.set(message, {tags.SUBJECT: "later"})
    desk.save(message)
    after = desk.get(
        desk.opened(inbox, number), tags.LOCAL_COMMIT_TIME, tags.MODIFICATION_TIME, tags.CHANGE_KEY
    )
    assert after[0] > before[0]
    assert after[1] > before[1]
    assert after[2] != before[2]


@pytest.mark.covers("MS-OXCMSG_R661")
def test_a_message_opened_for_reading_is_not_changed(desk: Desk, inbox: Folder) -> None:
    _, number = desk.saved(inbox)
    message = desk.opened(inbox, number, READ_ONLY)
    assert desk.one(message, tags.ACCESS_LEVEL) == 0
    # the write may be refused, or the save; nothing may reach the store
    reader, _ = desk.batch(b"\x0a\0\0" + _subject_value("sneaked"), message)
    reader, _ = desk.batch(b"\x0c\0\x01\0\x02", message, inbox.handle)
    assert reader.data
    assert desk.one(desk.opened(inbox, number), tags.SUBJECT) == "first"


def _subject_value(text: str) -> bytes:
    value = tags.SUBJECT.to_bytes(4, "little") + text.encode("utf-16-le") + b"\0\0"
    return (len(value) + 2).to_bytes(2, "little") + b"\x01\0" + value


@pytest.mark.parametrize("kind", ["folder", "logon", "attachment"])
def test_only_messages_are_saved(desk: Desk, inbox: Folder, kind: str) -> None:
    message = desk.create_message(inbox)
    handle = {"folder": inbox.handle, "logon": desk.logon, "attachment": desk.create_attachment(message)[0]}[
        kind
    ]
    reader, _ = desk.batch(b"\x0c\0\x01\0\x02", handle, message)
    assert (reader.u8(), reader.u8()) == (0x0C, 1)
    assert reader.u32() != 0
    reader.end()


# opening


@pytest.mark.covers("MS-OXCMSG_R333", "MS-OXCMSG_R1477", "MS-OXCMSG_R323")
def test_a_message_that_is_not_there_is_not_opened(desk: Desk, inbox: Folder) -> None:
    _, number = desk.saved(inbox)
    desk.open_message(inbox, BOGUS, expect=NOT_FOUND)
    desk.open_message(inbox, 0, expect=NOT_FOUND)
    desk.open_message(Folder(inbox.handle, desk.folders[DELETED]), number, expect=NOT_FOUND)


@pytest.mark.covers("MS-OXCMSG_R1478", "MS-OXCMSG_R648")
def test_messages_are_opened_through_folders_and_stores(desk: Desk, inbox: Folder) -> None:
    message, number = desk.saved(inbox)
    assert desk.open_message(inbox, number, through=desk.logon) is not None
    for other in (message, desk.create_attachment(message)[0], desk.contents(inbox)[0]):
        desk.open_message(inbox, number, through=other, expect=NULL_OBJECT)


@pytest.mark.covers("MS-OXCMSG_R1293", "MS-OXCMSG_R1838", "MS-OXCMSG_R663", "MS-OXCMSG_R665")
def test_every_mode_opens_and_unknown_bits_are_ignored(desk: Desk, inbox: Folder) -> None:
    _, number = desk.saved(inbox)
    answers = []
    for mode in (READ_ONLY, READ_WRITE, BEST_ACCESS, SOFT_DELETED, 0x20, 0x40):
        made = desk.open_message(inbox, number, mode)
        assert made is not None
        answers.append((made.named, made.prefix, made.subject, made.recipient_count, made.columns))
    assert len({str(answer) for answer in answers}) == 1


@pytest.mark.covers("MS-OXCMSG_R325", "MS-OXCMSG_R326", "MS-OXCMSG_R335", "MS-OXCMSG_R668")
def test_a_soft_deleted_message_opens_where_it_is_asked_for(desk: Desk, inbox: Folder) -> None:
    _, number = desk.saved(inbox)
    desk.soft_delete(inbox, number)
    desk.open_message(inbox, number, READ_WRITE, expect=NOT_FOUND)
    desk.open_message(inbox, number, READ_ONLY, expect=NOT_FOUND)
    found = desk.open_message(inbox, number, SOFT_DELETED)
    assert found is not None
    assert found.subject == "first"


@pytest.mark.covers("MS-OXCMSG_R676", "MS-OXCMSG_R678", "MS-OXCMSG_R1239", "MS-OXCMSG_R1801")
@pytest.mark.parametrize(
    ("given", "prefix", "subject"),
    [
        ({tags.SUBJECT: "plain"}, "", "plain"),
        ({tags.SUBJECT: "RE: plain"}, "RE: ", "plain"),
        ({tags.SUBJECT_PREFIX: "FW: ", tags.NORMALIZED_SUBJECT: "sent on"}, "FW: ", "sent on"),
        ({tags.SUBJECT: "Größe £"}, "", "Größe £"),
        ({}, "", ""),
    ],
)
def test_opening_tells_the_subject(
    desk: Desk, inbox: Folder, given: dict[int, str], prefix: str, subject: str
) -> None:
    message = desk.create_message(inbox)
    if given:
        assert desk.set(message, given) == []
    number = desk.save(message)
    made = desk.open_message(inbox, number)
    assert made is not None
    assert (made.prefix or "", made.subject or "") == (prefix, subject)
    again = desk.reload(made.handle)
    assert again is not None
    assert (again.prefix or "", again.subject or "") == (prefix, subject)
    if given:
        assert desk.one(made.handle, tags.SUBJECT) == prefix + subject


@pytest.mark.covers("MS-OXCMSG_R673", "MS-OXCMSG_R1668")
def test_opening_tells_of_named_properties(desk: Desk, inbox: Folder) -> None:
    message, number = desk.saved(inbox)
    plain = desk.open_message(inbox, number)
    assert plain is not None
    assert not plain.named
    (named,) = desk.ids(desk.logon, *_keyword(), flags=2)
    desk.set(message, {named << 16 | 0x1F: "value"})
    desk.save(message)
    made = desk.open_message(inbox, number)
    assert made is not None
    assert made.named
    assert desk.get_all(made.handle)[named << 16 | 0x1F] == "value"


def _keyword() -> list["object"]:
    from tests.conformance.properties import Name

    return [Name(bytes.fromhex("29 03 02 00 00 00 00 00 C0 00 00 00 00 00 00 46"), "blind-keyword")]


@pytest.mark.covers("MS-OXCMSG_R766", "MS-OXCMSG_R772", "MS-OXCMSG_R1498")
def test_reloading_tells_what_the_handle_knows(desk: Desk, inbox: Folder) -> None:
    message, _ = desk.saved(inbox)
    desk.write_recipients(message, [person(0, TO, "ben")])
    again = desk.reload(message)
    assert isinstance(again, Opened)
    assert again.subject == "first"
    assert again.addresses == [(TO, "ben@example.test")]
    for other in (inbox.handle, desk.logon, desk.create_attachment(message)[0]):
        desk.reload(other, expect=NULL_OBJECT)


@pytest.mark.covers("MS-OXCMSG_R1068")
def test_an_unknown_code_page_is_refused(desk: Desk, inbox: Folder) -> None:
    _, number = desk.saved(inbox)
    desk.open_message(inbox, number, code_page=0xABCD, expect=UNKNOWN_CODE_PAGE)


@pytest.mark.covers("MS-OXCPRPT_R461", "MS-OXCPRPT_R460", "MS-OXCPRPT_R462")
@pytest.mark.parametrize(
    ("page", "text"),
    [(1252, b"Gr\xf6\xdfe\0"), (65001, b"Gr\xc3\xb6\xc3\x9fe\0"), (0x0FFF, b"Gr\xf6\xdfe\0")],
)
def test_the_code_page_of_opening_rules_8_bit_strings(
    desk: Desk, inbox: Folder, page: int, text: bytes
) -> None:
    _, number = desk.saved(inbox, "Größe")
    made = desk.open_message(inbox, number, code_page=page)
    assert made is not None
    request = b"\x07\0\0\0\0\0\0\x01\0" + tags.SUBJECT8.to_bytes(4, "little")
    reader, _ = desk.batch(request, made.handle)
    assert reader.data == b"\x07\0\0\0\0\0\0" + text


# properties that the server keeps


@pytest.mark.covers("MS-OXCMSG_R1097", "MS-OXCMSG_R1098", "MS-OXCMSG_R1099", "MS-OXCMSG_R1100",
                    "MS-OXCMSG_R1101", "MS-OXCMSG_R1102", "MS-OXCMSG_R1105", "MS-OXCPRPT_R36",
                    "MS-OXCPRPT_R34")  # fmt: skip
def test_the_general_properties_are_there(desk: Desk, inbox: Folder, anna: Person) -> None:
    _, number = desk.saved(inbox)
    access, level, key, created, modified, name, search = desk.get(
        desk.opened(inbox, number),
        tags.ACCESS,
        tags.ACCESS_LEVEL,
        tags.CHANGE_KEY,
        tags.CREATION_TIME,
        tags.MODIFICATION_TIME,
        tags.MODIFIER_NAME,
        tags.SEARCH_KEY,
    )
    assert access == 7
    assert level == 1
    assert 17 <= len(key) <= 22, "an XID"
    assert created <= modified
    assert name == anna.name
    assert len(search) == 16


READ_ONLY_PROPERTIES = [
    (tags.ACCESS, 1),
    (tags.CHANGE_KEY, b"0123456789abcdef012345"),
    (tags.HAS_ATTACHMENTS, True),
    (tags.MESSAGE_SIZE, 7),
    (tags.ACCESS_LEVEL, 0),
    (tags.RECORD_KEY, bytes(16)),
    (tags.OBJECT_TYPE, 9),
]


@pytest.mark.covers("MS-OXCMSG_R1724", "MS-OXCMSG_R15", "MS-OXCMSG_R47", "MS-OXCMSG_R1128", "MS-OXCPRPT_R15",
                    "MS-OXCPRPT_R25", "MS-OXCPRPT_R39", "MS-OXCPRPT_R52", "MS-OXCPRPT_R853")  # fmt: skip
@pytest.mark.parametrize(("tag", "value"), READ_ONLY_PROPERTIES)
def test_read_only_properties_keep_their_values(desk: Desk, inbox: Folder, tag: int, value: object) -> None:
    message, number = desk.saved(inbox)
    before = desk.one(message, tag)
    problems = desk.set(message, {tag: value})
    for problem in problems:
        assert (problem.index, problem.tag) == (0, tag)
        assert problem.code != 0
    reader, _ = desk.batch(b"\x0c\0\x01\0\x02", message, inbox.handle)
    assert reader.data
    found = desk.one(desk.opened(inbox, number), tag)
    assert found != value
    if tag not in (tags.CHANGE_KEY, tags.MESSAGE_SIZE):
        assert found == before


@pytest.mark.covers("MS-OXCMSG_R16", "MS-OXCMSG_R522", "MS-OXCMSG_R498", "MS-OXCMSG_R469")
def test_attachments_show_in_the_flags(desk: Desk, inbox: Folder) -> None:
    message, number = desk.saved(inbox)
    attachment, which = desk.create_attachment(message)
    desk.save_attachment(attachment, message)
    desk.save(message)
    has, flags = desk.get(desk.opened(inbox, number), tags.HAS_ATTACHMENTS, tags.MESSAGE_FLAGS)
    assert has is True
    assert flags & tags.MF_HAS_ATTACH
    desk.delete_attachment(message, which)
    desk.save(message)
    has, flags = desk.get(desk.opened(inbox, number), tags.HAS_ATTACHMENTS, tags.MESSAGE_FLAGS)
    assert has is False
    assert not flags & tags.MF_HAS_ATTACH


@pytest.mark.covers("MS-OXCMSG_R31", "MS-OXCMSG_R510", "MS-OXCMSG_R512")
@pytest.mark.parametrize("flags", [0x00, 0x01, 0x08, 0x09])
def test_the_first_save_takes_the_flags_of_the_client(desk: Desk, inbox: Folder, flags: int) -> None:
    message = desk.create_message(inbox)
    assert desk.set(message, {tags.MESSAGE_FLAGS: flags}) == []
    number = desk.save(message)
    found = desk.one(desk.opened(inbox, number), tags.MESSAGE_FLAGS)
    assert found & 0x09 == flags
    assert bool(found & tags.MF_EVER_READ) == bool(flags & tags.MF_READ)


@pytest.mark.covers("MS-OXCMSG_R519")
def test_a_message_is_unmodified_until_its_second_save(desk: Desk, inbox: Folder) -> None:
    message, number = desk.saved(inbox)
    assert desk.one(desk.opened(inbox, number), tags.MESSAGE_FLAGS) & tags.MF_UNMODIFIED
    desk.set(message, {tags.SUBJECT: "changed"})
    desk.save(message)
    assert not desk.one(desk.opened(inbox, number), tags.MESSAGE_FLAGS) & tags.MF_UNMODIFIED


@pytest.mark.covers("MS-OXCMSG_R3001", "MS-OXCMSG_R340")
def test_properties_that_were_never_set_are_not_found(desk: Desk, inbox: Folder) -> None:
    message = desk.create_message(inbox)
    assert missing(desk.one(message, tags.BODY)) or desk.one(message, tags.BODY) == ""
    assert desk.one(message, tags.CLIENT_SUBMIT_TIME) == Error(NOT_FOUND)
