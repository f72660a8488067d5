"""MS-OXCMSG: recipients, attachments, embedded messages."""

import pytest

from tests.conformance import tags
from tests.conformance.desk import Desk, Folder
from tests.conformance.messages import BCC, CC, CREATE, READ_ONLY, READ_WRITE, TO, Row, person
from tests.conformance.office import Person
from tests.conformance.properties import missing
from tests.conformance.rop import ACCESS_DENIED, NOT_FOUND, NOT_SUPPORTED, NULL_OBJECT, UNKNOWN_CODE_PAGE
from tests.conformance.values import BOOLEAN, smtp_row, tag

SMTP_ADDRESS = 0x39FE001F
COLUMNS = (tags.RECIPIENT_DISPLAY_NAME, tags.RECIPIENT_FLAGS)


def found(desk: Desk, message: int, row: int = 0) -> list[tuple[int, int, str | None]]:
    """RowId, type and address, from one row on; the columns are those that the message tells."""
    told = desk.reload(message)
    assert told is not None
    rows = desk.read_recipients(message, row, told.columns)
    return [(number, kind, entry.email) for number, kind, entry in rows]


THREE = [person(0, TO, "ben"), person(1, CC, "clara"), person(2, BCC, "dora")]
EXPECTED = [(0, TO, "ben@example.test"), (1, CC, "clara@example.test"), (2, BCC, "dora@example.test")]


# recipients


@pytest.mark.covers("MS-OXCMSG_R737", "MS-OXCMSG_R389", "MS-OXCMSG_R394", "MS-OXCMSG_R753", "MS-OXCMSG_R400",
                    "MS-OXCMSG_R762", "MS-OXCMSG_R765", "MS-OXCMSG_R1495")  # fmt: skip
def test_recipients_are_written_and_read(desk: Desk, message: int) -> None:
    desk.write_recipients(message, THREE)
    assert found(desk, message) == EXPECTED


@pytest.mark.covers("MS-OXCMSG_R327", "MS-OXCMSG_R328", "MS-OXCMSG_R329", "MS-OXCMSG_R330", "MS-OXCMSG_R977",
                    "MS-OXCMSG_R978", "MS-OXCMSG_R979", "MS-OXCMSG_R679", "MS-OXCMSG_R683")  # fmt: skip
def test_opening_tells_the_recipients_in_the_order_of_their_rows(
    desk: Desk, inbox: Folder, message: int
) -> None:
    desk.write_recipients(message, [person(7, BCC, "dora"), person(3, TO, "ben"), person(5, CC, "clara")])
    number = desk.save(message)
    made = desk.open_message(inbox, number)
    assert made is not None
    assert made.recipient_count == 3
    assert made.addresses == [
        (TO, "ben@example.test"),
        (CC, "clara@example.test"),
        (BCC, "dora@example.test"),
    ]
    assert found(desk, made.handle) == [
        (3, TO, "ben@example.test"), (5, CC, "clara@example.test"), (7, BCC, "dora@example.test"),
    ]  # fmt: skip
    assert found(desk, made.handle, 5) == [(5, CC, "clara@example.test"), (7, BCC, "dora@example.test")]


@pytest.mark.covers("MS-OXCMSG_R390")
def test_a_row_that_is_there_is_replaced(desk: Desk, message: int) -> None:
    desk.write_recipients(message, THREE)
    desk.write_recipients(message, [person(1, BCC, "emil")])
    assert found(desk, message) == [EXPECTED[0], (1, BCC, "emil@example.test"), EXPECTED[2]]


@pytest.mark.covers("MS-OXCMSG_R391", "MS-OXCMSG_R393")
def test_a_row_without_data_is_deleted(desk: Desk, inbox: Folder, message: int) -> None:
    desk.write_recipients(message, THREE)
    desk.write_recipients(message, [Row(1, CC, b"")])
    assert found(desk, message) == [EXPECTED[0], EXPECTED[2]]
    desk.read_recipients(message, 1, expect=NOT_FOUND)
    assert found(desk, desk.opened(inbox, desk.save(message))) == [EXPECTED[0], EXPECTED[2]]


@pytest.mark.covers("MS-OXCMSG_R395", "MS-OXCMSG_R382", "MS-OXCMSG_R381")
def test_recipients_are_changed_for_one_handle_until_it_is_saved(
    desk: Desk, inbox: Folder, message: int
) -> None:
    desk.write_recipients(message, THREE)
    number = desk.save(message)
    one, other = desk.opened(inbox, number), desk.opened(inbox, number)
    desk.write_recipients(one, [Row(0, TO, b"")])
    assert found(desk, other) == EXPECTED
    desk.remove_recipients(one)
    desk.read_recipients(one, expect=NOT_FOUND)
    assert found(desk, other) == EXPECTED
    desk.save(one)
    desk.read_recipients(desk.opened(inbox, number), expect=NOT_FOUND)


@pytest.mark.covers("MS-OXCMSG_R403", "MS-OXCMSG_R1055", "MS-OXCMSG_R1056")
def test_rows_that_are_not_there_are_not_read(desk: Desk, message: int) -> None:
    desk.read_recipients(message, expect=NOT_FOUND)
    desk.write_recipients(message, THREE)
    desk.read_recipients(message, 3, expect=NOT_FOUND)
    desk.read_recipients(message, 0xFFFFFFFF, expect=NOT_FOUND)


@pytest.mark.covers("MS-OXCMSG_R729", "MS-OXCMSG_R379", "MS-OXCMSG_R1491")
@pytest.mark.parametrize("reserved", [0, 1, 0xFFFFFFFF])
def test_all_recipients_are_removed_even_if_there_are_none(desk: Desk, message: int, reserved: int) -> None:
    desk.remove_recipients(message, reserved)
    desk.write_recipients(message, THREE)
    desk.remove_recipients(message, reserved)
    desk.read_recipients(message, expect=NOT_FOUND)
    opened = desk.reload(message)
    assert opened is not None
    assert (opened.recipient_count, opened.recipients) == (0, [])


@pytest.mark.covers("MS-OXCMSG_R1493", "MS-OXCMSG_R1982", "MS-OXCMSG_R1057")
def test_recipients_belong_to_messages(desk: Desk, inbox: Folder, message: int) -> None:
    for handle in (inbox.handle, desk.logon, desk.create_attachment(message)[0]):
        desk.remove_recipients(handle, expect=NULL_OBJECT)
        desk.write_recipients(handle, THREE, expect=NULL_OBJECT)
        desk.read_recipients(handle, expect=NULL_OBJECT)


@pytest.mark.covers("MS-OXCMSG_R681", "MS-OXCMSG_R682", "MS-OXCMSG_R1323")
def test_further_columns_come_back(desk: Desk, inbox: Folder, message: int) -> None:
    data = smtp_row("ben@example.test", "Ben", COLUMNS, ["Benjamin", 1])
    desk.write_recipients(message, [Row(0, TO, data)], COLUMNS)
    number = desk.save(message)
    made = desk.open_message(inbox, number)
    assert made is not None
    (kind, row) = made.recipients[0]
    values = dict(zip(made.columns, row.values, strict=False))
    assert kind == TO
    assert row.name == "Ben"
    assert values[tags.RECIPIENT_DISPLAY_NAME] == "Benjamin"
    assert values[tags.RECIPIENT_FLAGS] == 1
    ((_, _, again),) = desk.read_recipients(made.handle, 0, made.columns)
    assert again == row


@pytest.mark.covers("MS-OXCMSG_R1054", "MS-OXCMSG_R684")
def test_many_recipients_are_read_piece_by_piece(desk: Desk, inbox: Folder, message: int) -> None:
    many = 700
    for start in range(0, many, 100):
        desk.write_recipients(
            message, [person(row, TO, f"somebody-{row}") for row in range(start, start + 100)]
        )
    made = desk.open_message(inbox, desk.save(message))
    assert made is not None
    assert made.recipient_count == many
    assert 0 < len(made.recipients) < many
    seen: list[tuple[int, int, str | None]] = []
    while len(seen) < many:
        more = found(desk, made.handle, len(seen))
        assert more
        seen += more
    assert seen == [(row, TO, f"somebody-{row}@example.test") for row in range(many)]


@pytest.mark.covers("MS-OXCMSG_R340")
def test_the_display_properties_follow_the_recipients(desk: Desk, inbox: Folder, message: int) -> None:
    rows = [*THREE, person(3, TO, "emil")]
    desk.write_recipients(message, rows)
    opened = desk.opened(inbox, desk.save(message))
    assert desk.get(opened, tags.DISPLAY_TO, tags.DISPLAY_CC, tags.DISPLAY_BCC) == [
        "Ben; Emil",
        "Clara",
        "Dora",
    ]


def test_an_address_book_recipient_comes_back_as_one(
    desk: Desk, inbox: Folder, message: int, ben: Person
) -> None:
    data = (0x0211).to_bytes(2, "little")
    data += b"\0\0" + ben.dn.encode("ascii") + b"\0" + ben.name.encode("utf-16-le") + b"\0\0" + b"\0\0\0"
    desk.write_recipients(message, [Row(0, TO, data)])
    made = desk.open_message(inbox, desk.save(message))
    assert made is not None
    ((kind, row),) = made.recipients
    assert kind == TO
    assert row.flags & 7 == 1
    assert row.name == ben.name
    assert ben.dn.lower().endswith((row.dn or "?").lower())


@pytest.mark.parametrize("kind", [0x11, 0x81])
@pytest.mark.covers("MS-OXCMSG_R686", "MS-OXCMSG_R1298", "MS-OXCMSG_R984")
def test_resend_flags_of_a_recipient_are_kept(desk: Desk, inbox: Folder, message: int, kind: int) -> None:
    desk.write_recipients(message, [person(0, kind, "ben")])
    made = desk.open_message(inbox, desk.save(message))
    assert made is not None
    assert made.addresses == [(kind, "ben@example.test")]


# attachments


@pytest.mark.covers("MS-OXCMSG_R447", "MS-OXCMSG_R451", "MS-OXCMSG_R452", "MS-OXCMSG_R2035",
                    "MS-OXCMSG_R448", "MS-OXCMSG_R867", "MS-OXCMSG_R234", "MS-OXCMSG_R1836",
                    "MS-OXCMSG_R1651")  # fmt: skip
def test_a_new_attachment_has_its_first_properties(desk: Desk, message: int) -> None:
    first, number = desk.create_attachment(message)
    second, other = desk.create_attachment(message)
    assert number != other
    assert desk.one(first, tags.ATTACH_NUMBER) == number
    assert desk.one(second, tags.ATTACH_NUMBER) == other
    position, size, level, created, modified = desk.get(
        first,
        tags.RENDERING_POSITION,
        tags.ATTACH_SIZE,
        tags.ACCESS_LEVEL,
        tags.CREATION_TIME,
        tags.MODIFICATION_TIME,
    )
    assert position == 0xFFFFFFFF
    assert size in (0, 0x40)
    assert level in (0, 1)
    assert abs(modified - created) <= 1


@pytest.mark.covers("MS-OXCMSG_R446", "MS-OXCMSG_R1062", "MS-OXCMSG_R875", "MS-OXCMSG_R861",
                    "MS-OXCPRPT_R480", "MS-OXCPRPT_R479")  # fmt: skip
def test_an_attachment_is_there_when_both_are_saved(desk: Desk, inbox: Folder, message: int) -> None:
    number = desk.save(message)
    attachment, which = desk.create_attachment(message)
    values = {tags.ATTACH_METHOD: 1, tags.ATTACH_LONG_FILENAME: "a.txt", tags.ATTACH_DATA: b"content"}
    assert desk.set(attachment, values) == []
    assert desk.get(attachment, *values) == list(values.values())
    desk.open_attachment(desk.opened(inbox, number), which, expect=NOT_FOUND)
    desk.save_attachment(attachment, message)
    desk.open_attachment(desk.opened(inbox, number), which, expect=NOT_FOUND)
    desk.save(message)
    kept = desk.open_attachment(desk.opened(inbox, number), which)
    assert desk.get(kept, *values) == list(values.values())
    assert desk.one(kept, tags.ATTACH_SIZE) >= len(b"content")


@pytest.mark.covers("MS-OXCMSG_R446")
def test_an_attachment_that_is_not_saved_is_lost(desk: Desk, inbox: Folder, message: int) -> None:
    desk.create_attachment(message)
    opened = desk.opened(inbox, desk.save(message))
    assert desk.rows(desk.attachment_table(opened), tags.ATTACH_NUMBER) == []


@pytest.mark.covers("MS-OXCMSG_R440", "MS-OXCMSG_R1063", "MS-OXCMSG_R853", "MS-OXCMSG_R868")
def test_attachments_that_are_not_there(desk: Desk, message: int) -> None:
    attachment, number = desk.create_attachment(message)
    desk.save_attachment(attachment, message)
    for other in (number + 1, 99, 0xFFFFFFFF):
        desk.open_attachment(message, other, expect=NOT_FOUND)
        desk.delete_attachment(message, other, expect=NOT_FOUND)
    assert desk.open_attachment(message, number) != 0


@pytest.mark.covers("MS-OXCMSG_R1620", "MS-OXCMSG_R1712", "MS-OXCMSG_R1524", "MS-OXCMSG_R1526")
def test_attachments_belong_to_messages(desk: Desk, inbox: Folder, message: int) -> None:
    for handle in (inbox.handle, desk.logon, desk.create_attachment(message)[0]):
        desk.create_attachment(handle, expect=NULL_OBJECT)
        desk.open_attachment(handle, 0, expect=NULL_OBJECT)
        desk.delete_attachment(handle, 0, expect=NULL_OBJECT)
        desk.attachment_table(handle, expect=NULL_OBJECT)


@pytest.mark.covers("MS-OXCMSG_R467", "MS-OXCMSG_R466")
def test_only_attachments_are_saved_as_such(desk: Desk, inbox: Folder, message: int) -> None:
    for handle in (inbox.handle, desk.logon, message):
        desk.save_attachment(handle, message, expect=NOT_SUPPORTED)


@pytest.mark.covers("MS-OXCMSG_R1523", "MS-OXCMSG_R469")
def test_an_attachment_is_gone_when_the_message_is_saved(desk: Desk, inbox: Folder, message: int) -> None:
    attachment, which = desk.create_attachment(message)
    desk.save_attachment(attachment, message)
    number = desk.save(message)
    one = desk.opened(inbox, number)
    desk.delete_attachment(one, which)
    assert desk.rows(desk.attachment_table(one), tags.ATTACH_NUMBER) == []
    assert desk.open_attachment(desk.opened(inbox, number), which) != 0
    desk.save(one)
    desk.open_attachment(desk.opened(inbox, number), which, expect=NOT_FOUND)


@pytest.mark.covers("MS-OXCMSG_R490", "MS-OXCMSG_R312", "MS-OXCMSG_R905", "MS-OXCMSG_R906", "MS-OXCMSG_R890")
@pytest.mark.parametrize("flags", [0x00, 0x40])
def test_the_attachment_table_lists_them(desk: Desk, inbox: Folder, message: int, flags: int) -> None:
    for name in ("one.txt", "two.txt"):
        attachment, _ = desk.create_attachment(message)
        desk.set(
            attachment, {tags.ATTACH_METHOD: 1, tags.ATTACH_LONG_FILENAME: name, tags.ATTACH_DATA: b"xyz"}
        )
        desk.save_attachment(attachment, message)
    columns = (tags.ATTACH_NUMBER, tags.ATTACH_LONG_FILENAME, tags.ATTACH_METHOD)
    expected = [[0, "one.txt", 1], [1, "two.txt", 1]]
    assert desk.rows(desk.attachment_table(message, flags), *columns) == expected
    opened = desk.opened(inbox, desk.save(message))
    table = desk.attachment_table(opened, flags)
    assert desk.rows(table, *columns) == expected
    assert desk.position(table) == (2, 2)


@pytest.mark.covers("MS-OXCMSG_R917", "MS-OXCMSG_R918", "MS-OXCMSG_R919", "MS-OXCMSG_R436")
def test_attachments_open_in_every_mode(desk: Desk, inbox: Folder, message: int) -> None:
    attachment, which = desk.create_attachment(message)
    desk.set(attachment, {tags.ATTACH_METHOD: 1, tags.ATTACH_DATA: b"content"})
    desk.save_attachment(attachment, message)
    opened = desk.opened(inbox, desk.save(message))
    for mode in (READ_ONLY, READ_WRITE, 3):
        assert desk.one(desk.open_attachment(opened, which, mode), tags.ATTACH_DATA) == b"content"


@pytest.mark.covers("MS-OXCMSG_R1825", "MS-OXCMSG_R1078", "MS-OXCMSG_R231")
@pytest.mark.parametrize(("number", "value"), [(tags.ATTACH_SIZE, 12345), (tags.ACCESS_LEVEL, 7)])
def test_read_only_properties_of_attachments(
    desk: Desk, inbox: Folder, message: int, number: int, value: int
) -> None:
    attachment, _ = desk.create_attachment(message)
    desk.set(attachment, {number: value})
    assert desk.one(attachment, number) != value


@pytest.mark.covers("MS-OXCMSG_R1367", "MS-OXCMSG_R1372")
def test_valid_attachments_are_those_that_were_saved(desk: Desk, message: int) -> None:
    numbers = []
    for keep in (True, True, False):
        attachment, number = desk.create_attachment(message)
        if keep:
            desk.save_attachment(attachment, message)
            numbers.append(number)
    reader = desk.on(0x52, message)
    assert reader is not None
    assert [reader.u32() for _ in range(reader.u16())] == numbers
    reader.end()


# embedded messages


def embedded(desk: Desk, message: int) -> tuple[int, int]:
    """Handles of an attachment and of the new message inside."""
    attachment, _ = desk.create_attachment(message)
    assert desk.set(attachment, {tags.ATTACH_METHOD: tags.AF_EMBEDDED}) == []
    made = desk.open_embedded(attachment, CREATE)
    assert made is not None
    return attachment, made.handle


@pytest.mark.covers("MS-OXCMSG_R596", "MS-OXCMSG_R881", "MS-OXCMSG_R913", "MS-OXCMSG_R481",
                    "MS-OXCMSG_R1848", "MS-OXCMSG_R1363", "MS-OXCMSG_R889", "MS-OXCMSG_R479")  # fmt: skip
def test_an_embedded_message_is_saved_from_the_inside(desk: Desk, inbox: Folder, message: int) -> None:
    attachment, inner = embedded(desk, message)
    assert desk.set(inner, {tags.SUBJECT: "RE: inside", tags.MESSAGE_CLASS: "IPM.Note"}) == []
    desk.write_recipients(inner, THREE)
    desk.save(inner, parent=inner)
    desk.save_attachment(attachment, message)
    number = desk.save(message)
    outer = desk.opened(inbox, number)
    made = desk.open_embedded(desk.open_attachment(outer, 0))
    assert made is not None
    assert (made.prefix, made.subject) == ("RE: ", "inside")
    assert made.recipient_count == 3
    assert desk.one(made.handle, tags.SUBJECT) == "RE: inside"
    assert found(desk, made.handle) == EXPECTED
    assert desk.rows(desk.attachment_table(outer), tags.ATTACH_METHOD) == [[tags.AF_EMBEDDED]]


@pytest.mark.covers("MS-OXCMSG_R481")
def test_an_embedded_message_that_is_not_saved_is_not_there(desk: Desk, inbox: Folder, message: int) -> None:
    attachment, inner = embedded(desk, message)
    desk.set(inner, {tags.SUBJECT: "lost"})
    desk.save_attachment(attachment, message)
    outer = desk.opened(inbox, desk.save(message))
    reader, _ = desk.batch(b"\x46\0\0\x01\xff\x0f\x00", desk.open_attachment(outer, 0), 0xFFFFFFFF)
    assert reader.u8() == 0x46
    reader.u8()
    code = reader.u32()
    assert code == NOT_FOUND or b"l\0o\0s\0t\0" not in reader.data


@pytest.mark.covers("MS-OXCMSG_R911", "MS-OXCMSG_R912", "MS-OXCMSG_R3013")
@pytest.mark.parametrize("mode", [READ_ONLY, READ_WRITE])
def test_an_embedded_message_is_changed(desk: Desk, inbox: Folder, message: int, mode: int) -> None:
    attachment, inner = embedded(desk, message)
    desk.set(inner, {tags.SUBJECT: "inside"})
    desk.save(inner)
    desk.save_attachment(attachment, message)
    number = desk.save(message)
    outer = desk.opened(inbox, number)
    attachment = desk.open_attachment(outer, 0)
    made = desk.open_embedded(attachment, mode)
    assert made is not None
    if mode == READ_WRITE:
        desk.set(made.handle, {tags.SUBJECT: "changed"})
        desk.save(made.handle)
        desk.save_attachment(attachment, outer)
        desk.save(outer)
    again = desk.open_embedded(desk.open_attachment(desk.opened(inbox, number), 0))
    assert again is not None
    assert again.subject == ("changed" if mode == READ_WRITE else "inside")


def test_embedded_messages_lie_in_one_another(desk: Desk, inbox: Folder, message: int) -> None:
    attachment, inner = embedded(desk, message)
    deep_attachment, deepest = embedded(desk, inner)
    desk.set(deepest, {tags.SUBJECT: "deep"})
    desk.save(deepest)
    desk.save_attachment(deep_attachment, inner)
    desk.save(inner)
    desk.save_attachment(attachment, message)
    outer = desk.opened(inbox, desk.save(message))
    middle = desk.open_embedded(desk.open_attachment(outer, 0))
    assert middle is not None
    assert desk.one(middle.handle, tags.HAS_ATTACHMENTS) is True
    last = desk.open_embedded(desk.open_attachment(middle.handle, 0))
    assert last is not None
    assert last.subject == "deep"


@pytest.mark.covers("MS-OXCMSG_R1525", "MS-OXCMSG_R1068")
def test_embedded_messages_lie_in_attachments(desk: Desk, inbox: Folder, message: int) -> None:
    for handle in (inbox.handle, desk.logon, message):
        desk.open_embedded(handle, CREATE, expect=NULL_OBJECT)
    attachment, _ = desk.create_attachment(message)
    desk.open_embedded(attachment, READ_WRITE, expect=NOT_FOUND)
    desk.open_embedded(attachment, CREATE, code_page=0xABCD, expect=UNKNOWN_CODE_PAGE)


def test_an_embedded_message_is_no_binary_value(desk: Desk, inbox: Folder, message: int) -> None:
    attachment, inner = embedded(desk, message)
    desk.save(inner)
    desk.save_attachment(attachment, message)
    kept = desk.open_attachment(desk.opened(inbox, desk.save(message)), 0)
    assert missing(desk.one(kept, tags.ATTACH_DATA))
    assert desk.one(kept, tags.ATTACH_METHOD) == tags.AF_EMBEDDED


@pytest.mark.covers("MS-OXCMSG_R369", "MS-OXCMSG_R3018", "MS-OXCMSG_R2184", "MS-OXCMSG_R324")
def test_others_neither_create_nor_open(
    desk: Desk, inbox: Folder, message: int, ben: Person, anna: Person
) -> None:
    number = desk.save(message)
    with ben.mapi() as mapi:
        other = Desk(mapi, anna.dn)
        theirs = Folder(other.logon, inbox.id)
        other.create_message(theirs, expect=ACCESS_DENIED)
        other.open_message(theirs, number, expect=ACCESS_DENIED)


def test_a_hidden_attachment_does_not_count(desk: Desk, inbox: Folder, message: int) -> None:
    attachment, _ = desk.create_attachment(message)
    desk.set(attachment, {tag(0x7FFE, BOOLEAN): True, tags.ATTACH_METHOD: 1, tags.ATTACH_DATA: b"x"})
    desk.save_attachment(attachment, message)
    opened = desk.opened(inbox, desk.save(message))
    assert len(desk.rows(desk.attachment_table(opened), tags.ATTACH_NUMBER)) == 1
