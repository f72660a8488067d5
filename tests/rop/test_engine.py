"""The dispatcher: buffers, handles, legality, room."""

import pytest

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop import batch
from appliance.rop.batch import NO_HANDLE
from appliance.rop.model import Empty
from appliance.rop.ops import logon, open_folder, release
from appliance.store.mailboxes import Special
from tests.rop.kit import Ask, Client

INBOX = open_folder.Request(Special.INBOX, open_folder.OpenModeFlags(0))


@pytest.mark.covers("MS-OXCROPS_R4707", "MS-OXCROPS_R31")
def test_a_batch_opens_what_it_uses(client: Client) -> None:
    name = client.user.legacy_dn.encode() + b"\0"
    ask_logon = Ask(
        logon.ROP, logon.Request(logon.LogonFlags.PRIVATE, logon.OpenFlags(0x01000000), 0, name), (0,)
    )
    result = client.batch([ask_logon, Ask(open_folder.ROP, INBOX, (0, 1)), Ask(release.ROP, Empty(), (1,))])
    assert [reply.code for reply in result.replies] == [0, 0]
    assert result.replies[0].body.folder_ids[4] == Special.INBOX
    assert result.handles[0] != NO_HANDLE
    assert result.handles[1] == NO_HANDLE
    assert client.session.objects == 1


def test_handles_that_are_none(client: Client) -> None:
    handle = client.logon()
    assert client.ask(open_folder.ROP, INBOX, on=12345).code == ec.ecNullObject
    assert client.ask(open_folder.ROP, INBOX, on=handle, logon_id=3).code == ec.ecNullObject
    result = client.batch([Ask(open_folder.ROP, INBOX, (7, 8))], [handle])
    assert result.replies[0].code == ec.ecNullObject
    assert client.ask(open_folder.ROP, INBOX, on=handle).code == 0


@pytest.mark.covers("MS-OXCROPS_R28", "MS-OXCROPS_R29", "MS-OXCROPS_R4586", "MS-OXCROPS_R4587")
def test_a_second_logon_with_the_same_id_replaces_the_first(client: Client) -> None:
    first = client.logon()
    folder = client.do(open_folder.ROP, INBOX, on=first).handle
    second = client.logon()
    assert client.ask(open_folder.ROP, INBOX, on=folder).code == ec.ecInvalidObject
    assert client.ask(open_folder.ROP, INBOX, on=second).code == 0


@pytest.mark.covers("MS-OXCROPS_R180001")
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"\x01\x00",
        b"\xff\xff",
        b"\x03\x00\x00",
        b"\x04\x00\x28\x00",  # a reserved id
        b"\x06\x00\x02\x00\x00\x01",  # a request without its body
        b"\x02\x00\x01\x02\x03",  # a handle of three bytes
    ],
)
def test_what_is_no_rop_buffer_fails_as_a_whole(client: Client, data: bytes) -> None:
    with pytest.raises(MapiError) as caught:
        client.raw(data)
    assert caught.value.code == ec.ecRpcFormat


def test_an_empty_buffer_is_answered_with_its_handles(client: Client) -> None:
    assert client.raw(batch.pack(b"", [5, 6])) == [batch.pack(b"", [5, 6])]


@pytest.mark.covers(
    "MS-OXCROPS_2.2.15.1",
    "MS-OXCROPS_2.2.15.1.1",
    "MS-OXCROPS_R4545",
    "MS-OXCROPS_R454502",
)
@pytest.mark.covers("MS-OXCROPS_R4516", "MS-OXCROPS_R4517", "MS-OXCROPS_R4518", "MS-OXCROPS_R4447")
def test_what_does_not_fit_is_given_back(client: Client) -> None:
    name = client.user.legacy_dn.encode() + b"\0"
    request = logon.Request(logon.LogonFlags.PRIVATE, logon.OpenFlags(0x01000000), 0, name)
    asks = [Ask(logon.ROP, request, (index,), index) for index in range(12)]
    result = client.batch(asks, limit=2000)
    assert 0 < len(result.replies) < len(asks)
    rest = b"".join(ask.pack() for ask in asks[len(result.replies) :])
    assert result.given_back == rest
    assert result.size_needed > 0
    again = client.raw(batch.pack(result.given_back, result.handles))
    assert len(again[0]) > 100


def test_a_limit_that_cannot_even_say_so_fails_as_a_whole(client: Client) -> None:
    with pytest.raises(MapiError) as caught:
        client.batch([Ask(open_folder.ROP, INBOX, (0, 1))] * 50, [client.logon()], limit=100)
    assert caught.value.code == ec.ecBufferTooSmall
