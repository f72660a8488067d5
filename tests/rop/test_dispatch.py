"""What the dispatcher promises of every buffer, byte for byte (MS-OXCROPS 2.2.1, 2.2.2, 3.2.5)."""

import asyncio
from collections.abc import Callable

import pytest

from appliance.directory.model import Entry
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.rop import batch
from appliance.rop.batch import NO_HANDLE
from appliance.rop.engine import MAX_BUFFER
from appliance.rop.model import Empty
from appliance.rop.ops import get_properties_specific, open_folder, release, set_properties
from appliance.rop.table import ROPS
from appliance.store.mailboxes import Special
from tests.rop.kit import Ask, Client
from tests.rop.layouts import specified
from tests.rop.ops.items import FORM, create, get

INBOX = open_folder.Request(Special.INBOX, open_folder.OpenModeFlags(0))
SUBJECT = tags.PidTagSubject
RESPONSES_ONLY = {0x2A, 0x6E, 0xF9, 0xFF}
"""RopNotify, RopPending, RopBackoff, RopBufferTooSmall: ids that no request has."""


def opening(slot: int, out: int) -> bytes:
    return Ask(open_folder.ROP, INBOX, (slot, out)).pack()


@pytest.mark.covers(
    "MS-OXCROPS_R3", "MS-OXCROPS_R4665", "MS-OXCROPS_R6", "MS-OXCROPS_R7", "MS-OXCROPS_R4669",
    "MS-OXCROPS_R4671", "MS-OXCROPS_R4673", "MS-OXCROPS_R11", "MS-OXCROPS_R4674", "MS-OXCROPS_R4675",
    "MS-OXCROPS_3.1.4", "MS-OXCROPS_R4548", "MS-OXCROPS_R4550", "MS-OXCROPS_R4552", "MS-OXCROPS_R4553",
    "MS-OXCROPS_R4554", "MS-OXCROPS_R4556", "MS-OXCROPS_R4557", "MS-OXCROPS_R4558", "MS-OXCROPS_R4559",
    "MS-OXCROPS_R4563", "MS-OXCROPS_R4565", "MS-OXCROPS_R4716", "MS-OXCROPS_R4717", "MS-OXCROPS_R4718",
    "MS-OXCROPS_R4719",
)  # fmt: skip
def test_the_bytes_of_a_buffer(client: Client) -> None:
    """Two folders are opened, the second below the first, into slots that do not stand in order: the
    responses stand in the order of the requests, and the entries of the table stay where they are."""
    logon = client.logon()
    rops = opening(1, 3) + opening(3, 0)
    request = (2 + len(rops)).to_bytes(2, "little") + rops
    table = [NO_HANDLE, logon, 77, NO_HANDLE]
    (data,) = client.raw(request + b"".join(each.to_bytes(4, "little") for each in table))
    responses = bytes.fromhex("02 03 00000000 00 00" + "02 00 00000000 00 00")
    assert data[: 2 + len(responses)] == (2 + len(responses)).to_bytes(2, "little") + responses
    tail = data[2 + len(responses) :]
    after = [int.from_bytes(tail[at : at + 4], "little") for at in range(0, len(tail), 4)]
    assert after[1:3] == [logon, 77]
    assert len({after[0], after[3], logon, NO_HANDLE}) == 4
    for handle in (after[0], after[3]):
        assert get(client, handle, tags.PidTagDisplayName) == ["Inbox"]


@pytest.mark.covers(
    "MS-OXCROPS_R14", "MS-OXCROPS_R16", "MS-OXCROPS_R18", "MS-OXCROPS_R213", "MS-OXCROPS_R180005",
    "MS-OXCROPS_R4551",
)  # fmt: skip
def test_reserved_numbers_fail_the_whole_buffer(client: Client) -> None:
    """Every number is a ROP of the specification's list, or it fails; nothing of such a buffer is done."""
    named = {layout.rop for layout in specified().values()} - RESPONSES_ONLY
    assert named <= ROPS.keys()
    assert not RESPONSES_ONLY & ROPS.keys()
    logon = client.logon()
    message = create(client, logon)
    change = Ask(set_properties.SET, set_properties.Request.of([(SUBJECT, "no")], FORM)).pack()
    for number in set(range(256)) - ROPS.keys():
        with pytest.raises(MapiError) as caught:
            client.raw(batch.pack(change + bytes([number]) + bytes(60), [message]))
        assert caught.value.code == ec.ecRpcFormat == 0x4B6
    assert get(client, message, SUBJECT) != ["no"]


@pytest.mark.covers("MS-OXCROPS_R4549")
def test_buffers_of_a_session_do_not_run_beside_each_other(client: Client) -> None:
    message = create(client, client.logon())

    def asks(subject: str) -> list[Ask]:
        written = set_properties.Request.of([(SUBJECT, subject)], FORM)
        read = get_properties_specific.Request(0, 1, (SUBJECT,))
        return [Ask(set_properties.SET, written), Ask(get_properties_specific.ROP, read)] * 30

    subjects = ["one", "two", "three"]
    batches = [asks(subject) for subject in subjects]

    async def all_at_once() -> list[list[bytes]]:
        packed = [batch.pack(b"".join(ask.pack() for ask in asks), [message]) for asks in batches]
        return await asyncio.gather(*(client.session.execute(each, MAX_BUFFER) for each in packed))

    for subject, (data,) in zip(subjects, client.loop.run_until_complete(all_at_once()), strict=True):
        row = b"\0" + subject.encode("utf-16-le") + b"\0\0"
        assert data == batch.pack((b"\x0a" + bytes(7) + b"\x07" + bytes(5) + row) * 30, [message])


@pytest.mark.covers(
    "MS-OXCROPS_R4712", "MS-OXCROPS_R471201", "MS-OXCROPS_R4555", "MS-OXCROPS_R4714001",
    "MS-OXCROPS_R457302", "MS-OXCROPS_R457303",
)  # fmt: skip
def test_what_no_handle_stands_for(client: Client) -> None:
    handle = client.logon()
    other = client.logon(logon_id=1)
    result = client.batch([Ask(open_folder.ROP, INBOX, (7, 8))], [handle])
    assert result.replies[0].code == ec.ecNullObject == 0x4B9
    for never in (0, 4711, NO_HANDLE):
        assert client.ask(open_folder.ROP, INBOX, on=never).code == ec.ecNullObject
    assert client.ask(open_folder.ROP, INBOX, on=handle, logon_id=9).code != 0
    assert client.ask(open_folder.ROP, INBOX, on=other).code == ec.ecAccessDenied == 0x80070005
    assert client.ask(open_folder.ROP, INBOX, on=other, logon_id=1).code == 0


@pytest.mark.covers(
    "MS-OXCROPS_2.2.15.3", "MS-OXCROPS_R4568", "MS-OXCROPS_R4580", "MS-OXCROPS_R20010", "MS-OXCROPS_R4570",
    "MS-OXCROPS_R4571", "MS-OXCROPS_R4572", "MS-OXCROPS_R4581", "MS-OXCROPS_R4573", "MS-OXCROPS_R457301",
)  # fmt: skip
def test_releasing(client: Client) -> None:
    """There is no response, for what is a handle, what is none, and a slot that is none."""
    logon = client.logon()
    folder = client.do(open_folder.ROP, INBOX, on=logon).handle
    objects = client.session.objects
    asks = b"".join(Ask(release.ROP, Empty(), (slot,)).pack() for slot in (0, 0, 1, 200))
    (data,) = client.raw(batch.pack(asks, [folder, 4711]))
    assert data[:2] == b"\x02\x00"
    assert client.session.objects == objects - 1
    assert client.ask(open_folder.ROP, INBOX, on=folder).code == ec.ecInvalidObject == 0x80040108
    client.do(open_folder.ROP, INBOX, on=logon)
    client.batch([Ask(release.ROP, Empty())], [logon])
    assert client.session.objects == 0
    assert client.session.logons == {}


@pytest.mark.covers(
    "MS-OXCROPS_3.2.1", "MS-OXCROPS_3.2.7.1", "MS-OXCROPS_R4540", "MS-OXCROPS_R4560",
)  # fmt: skip
def test_a_session_begins_and_ends_with_nothing(connect: Callable[..., Client], anna: Entry) -> None:
    client = connect(anna)
    assert (client.session.objects, client.session.logons) == (0, {})
    handles = {client.logon(logon_id=number): number for number in range(3)}
    assert len(handles) == client.session.objects == 3
    for handle, number in handles.items():
        opened = client.do(open_folder.ROP, INBOX, on=handle, logon_id=number).handle
        assert opened not in (NO_HANDLE, *handles)
        assert client.session.logons[number].id == number
    assert client.session.objects == 6
    client.session.close()
    assert (client.session.objects, client.session.logons) == (0, {})
    with pytest.raises(MapiError):
        client.batch([])
