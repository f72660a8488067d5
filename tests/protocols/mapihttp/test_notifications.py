"""Notifications over the wire: polls that end with news, and what the next Execute tells."""

from collections.abc import Callable

import pytest

from appliance.directory.model import Entry
from appliance.mapi import errors as ec
from appliance.rop import batch
from appliance.rop.notify.data import Notify, Type
from appliance.rop.ops import register_notification
from appliance.store.mailboxes import Special
from tests.mapiclient import MapiClient
from tests.protocols.webserver import Office
from tests.rop import mail
from tests.rop.kit import unpack

Make = Callable[..., MapiClient]
NO_ROPS = batch.pack(b"", [])


@pytest.fixture
def watching(client: MapiClient) -> MapiClient:
    """Anna's client, which wants to know of new mail."""
    request = register_notification.Request(Type.NEW_MAIL, None, True)
    client.do(register_notification.ROP, request, on=client.logon())
    return client


def news(client: MapiClient) -> list[Notify]:
    """What an Execute without ROPs tells."""
    (data,) = client.raw(NO_ROPS)
    return unpack(data, []).notices


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R308",
    "MS-OXCMAPIHTTP_R1371",
    "MS-OXCMAPIHTTP_R318",
    "MS-OXCMAPIHTTP_R1171",
    "MS-OXCMAPIHTTP_R1258",
    "MS-OXCRPC_R1231",
    "MS-OXCRPC_R1240",
    "MS-OXCRPC_R1241",
    "MS-OXCRPC_R1243",
    "MS-OXCRPC_R1227",
)
def test_a_poll_ends_with_news(watching: MapiClient, office: Office, anna: Entry) -> None:
    poll = watching.poll()
    assert news(watching) == []
    row = mail.deliver(office, anna)  # type: ignore[arg-type]
    response = poll.end()
    assert (response.error_code, response.event_pending) == (0, 1)
    assert watching.wait(), "until somebody fetches them"
    (notice,) = news(watching)
    assert notice.data.message_id == row.mid
    assert news(watching) == []


def test_news_that_came_before_the_poll(watching: MapiClient, office: Office, anna: Entry) -> None:
    mail.deliver(office, anna)  # type: ignore[arg-type]
    assert watching.poll().end().event_pending == 1
    assert len(news(watching)) == 1


def test_what_was_not_asked_for_is_no_news(watching: MapiClient, office: Office, anna: Entry) -> None:
    poll = watching.poll()
    mail.append(office, anna, Special.SENT)  # type: ignore[arg-type]
    assert news(watching) == []
    watching.disconnect()
    assert poll.end().event_pending == 0


def test_a_poll_of_who_leaves_is_over(watching: MapiClient, office: Office, anna: Entry) -> None:
    watching.poll().leave()
    response = None
    while response is None or response.error_code == ec.ecRejected:  # until the server has noticed
        poll = watching.poll()
        mail.deliver(office, anna)  # type: ignore[arg-type]
        response = poll.end()
    assert response.event_pending == 1


def test_one_reading_for_all_who_watch(client_of: Make, office: Office, anna: Entry) -> None:
    clients = [client_of() for _ in range(5)]
    request = register_notification.Request(Type.NEW_MAIL, None, True)
    for one in clients:
        one.connect(anna.legacy_dn)
        one.do(register_notification.ROP, request, on=one.logon())
    polls = [one.poll() for one in clients]
    mail.deliver(office, anna)  # type: ignore[arg-type]
    assert [poll.end().event_pending for poll in polls] == [1] * 5
    assert [len(news(one)) for one in clients] == [1] * 5
