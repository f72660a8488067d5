"""MS-OXCMSG 2.2.3.8 to 2.2.3.11: the status of messages, and whether they were read."""

import pytest

from tests.conformance import tags
from tests.conformance.desk import Desk, Folder
from tests.conformance.rop import NOT_FOUND, NULL_OBJECT

BOGUS = 0x7FFF_FFFF_FF00_0001


@pytest.mark.covers("MS-OXCMSG_R416", "MS-OXCMSG_R1500", "MS-OXCMSG_R784", "MS-OXCMSG_R793",
                    "MS-OXCMSG_R421", "MS-OXCMSG_R773", "MS-OXCMSG_R786", "MS-OXCROPS_R20004")  # fmt: skip
def test_status_bits_are_set_by_a_mask(desk: Desk, inbox: Folder) -> None:
    _, number = desk.saved(inbox)
    download, delete = 0x1000, 0x2000
    assert desk.get_status(inbox.handle, number) == 0
    assert desk.set_status(inbox.handle, number, download, download) == 0
    assert desk.get_status(inbox.handle, number) == download
    assert desk.set_status(inbox.handle, number, download | delete, delete) == download
    assert desk.get_status(inbox.handle, number) == download | delete
    assert desk.set_status(inbox.handle, number, 0, download) == download | delete
    assert desk.get_status(inbox.handle, number) == delete
    assert desk.set_status(inbox.handle, number, download, 0) == delete
    assert desk.get_status(inbox.handle, number) == delete


@pytest.mark.covers("MS-OXCMSG_R1501", "MS-OXCMSG_R119")
def test_status_changes_nothing_else(desk: Desk, inbox: Folder) -> None:
    _, number = desk.saved(inbox)
    kept = (tags.CHANGE_KEY, tags.MODIFICATION_TIME, tags.SUBJECT, tags.MESSAGE_FLAGS)
    before = desk.get(desk.opened(inbox, number), *kept)
    desk.set_status(inbox.handle, number, 0x1000, 0x1000)
    assert desk.get(desk.opened(inbox, number), *kept) == before
    table, _ = desk.contents(inbox)
    assert desk.rows(table, tags.MESSAGE_STATUS) == [[0x1000]]


@pytest.mark.covers("MS-OXCMSG_R1505", "MS-OXCMSG_R1507")
def test_status_needs_a_folder(desk: Desk, inbox: Folder) -> None:
    message, number = desk.saved(inbox)
    for handle in (message, desk.logon, desk.create_attachment(message)[0]):
        desk.get_status(handle, number, expect=NULL_OBJECT)
        desk.set_status(handle, number, 0, 0, expect=NULL_OBJECT)
    desk.get_status(inbox.handle, BOGUS, expect=NOT_FOUND)
    desk.set_status(inbox.handle, BOGUS, 0, 0, expect=NOT_FOUND)


# read state


@pytest.mark.covers("MS-OXCMSG_R795", "MS-OXCMSG_R805", "MS-OXCMSG_R815", "MS-OXCMSG_R818", "MS-OXCMSG_R822",
                    "MS-OXCMSG_R834", "MS-OXCMSG_R1140", "MS-OXCMSG_R3006", "MS-OXCMSG_R2045")  # fmt: skip
@pytest.mark.parametrize(("flags", "start", "end"), [
    (0x00, False, True), (0x01, False, True), (0x04, True, False), (0x10, False, False), (0x10, True, True),
    (0x20, False, False), (0x40, False, False), (0x0A, False, True),
])  # fmt: skip
def test_read_flags_change_the_read_state(
    desk: Desk, inbox: Folder, flags: int, start: bool, end: bool
) -> None:
    message = desk.create_message(inbox)
    desk.set(message, {tags.MESSAGE_FLAGS: int(start)})
    number = desk.save(message)
    assert desk.set_read(inbox.handle, [number], flags) == 0
    table, _ = desk.contents(inbox)
    ((found, read),) = desk.rows(table, tags.MESSAGE_FLAGS, tags.READ)
    assert bool(found & tags.MF_READ) == end
    assert read == end
    if end:
        assert found & tags.MF_EVER_READ


@pytest.mark.covers("MS-OXCMSG_R1703", "MS-OXCMSG_R537")
def test_the_read_state_changes_nothing_else(desk: Desk, inbox: Folder) -> None:
    _, number = desk.saved(inbox)
    kept = (tags.CHANGE_KEY, tags.MODIFICATION_TIME, tags.SUBJECT)
    before = desk.get(desk.opened(inbox, number), *kept)
    assert desk.set_read(inbox.handle, [number], 0x04) == 0
    assert desk.get(desk.opened(inbox, number), *kept) == before


def test_without_ids_all_messages_of_the_folder_are_meant(desk: Desk, inbox: Folder) -> None:
    numbers = [desk.saved(inbox)[1] for _ in range(3)]
    assert desk.set_read(inbox.handle, [], 0x04) == 0
    assert [desk.one(desk.opened(inbox, number), tags.READ) for number in numbers] == [False] * 3


@pytest.mark.covers("MS-OXCMSG_R1516", "MS-OXCMSG_R1510", "MS-OXCMSG_R1512", "MS-OXCMSG_R426")
def test_read_flags_need_a_folder(desk: Desk, inbox: Folder) -> None:
    message, number = desk.saved(inbox)
    for handle in (message, desk.logon, desk.create_attachment(message)[0]):
        desk.set_read(handle, [number], 0, expect=NULL_OBJECT)
    assert desk.set_read(inbox.handle, [number], 0, asynchronous=1) == 0


@pytest.mark.covers("MS-OXCMSG_R835", "MS-OXCMSG_R846", "MS-OXCMSG_R849", "MS-OXCMSG_R852",
                    "MS-OXCMSG_R1841", "MS-OXCMSG_R1710", "MS-OXCMSG_R920")  # fmt: skip
def test_an_open_message_is_marked_read(desk: Desk, inbox: Folder) -> None:
    message = desk.create_message(inbox)
    desk.set(message, {tags.MESSAGE_FLAGS: 0})
    number = desk.save(message)
    kept = (tags.CHANGE_KEY, tags.MODIFICATION_TIME)
    before = desk.get(message, *kept)
    assert desk.set_message_read(message, inbox.handle, 0x01) == 0
    other = desk.opened(inbox, number)
    assert desk.one(other, tags.READ) is True
    assert desk.get(other, *kept) == before
    assert desk.set_message_read(message, inbox.handle, 0x04) == 0
    assert desk.one(desk.opened(inbox, number), tags.READ) is False


@pytest.mark.covers("MS-OXCMSG_R1521")
def test_marking_read_needs_a_message(desk: Desk, inbox: Folder) -> None:
    for handle in (inbox.handle, desk.logon):
        desk.set_message_read(handle, inbox.handle, 0x01, expect=NULL_OBJECT)
