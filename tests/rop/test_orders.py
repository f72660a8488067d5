"""Orders that tables want are made in the background, and kept (rop/orders.py)."""

import pytest

from appliance.directory.model import Entry
from appliance.mapi import restrictions as r
from appliance.mapi import tags
from appliance.rop import orders, tables
from appliance.rop.ops import get_contents_table
from appliance.store import views
from appliance.store.mailboxes import Special
from appliance.store.views import Order
from tests.rop.kit import Client
from tests.rop.ops.tabling import SIZE, SUBJECT, contents, insert, opened
from tests.transport.office import Office

UP = 0


def kept(office: Office, user: Entry) -> list[Order]:
    with office.store.read() as txn:
        return views.kept(txn, user.mailbox, Special.INBOX)


def settle(client: Client) -> None:
    client.engine.orders.settle(30)


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "LEAST", 5)
    monkeypatch.setattr(get_contents_table, "LEAST", 5)


def test_a_sorted_folder_keeps_its_order(office: Office, anna: Entry, client: Client) -> None:
    for n in range(8):
        insert(office, anna, f"s{9 - n}", size=n)
    inbox = opened(client, client.logon())
    made = contents(client, inbox)
    assert made.sort((tags.PidTagNormalizedSubject, UP)).code == 0
    assert made.rows(2) == ["s2", "s3"]
    settle(client)
    assert kept(office, anna) == [Order.SUBJECT]
    assert made.rows(2) == ["s4", "s5"]
    insert(office, anna, "s1")
    assert made.rows(2) == ["s6", "s7"]
    assert made.position() == (7, 9)
    assert made.sort((SIZE, UP)).code == 0
    assert made.rows(1) == ["s9"]
    settle(client)
    assert kept(office, anna) == [Order.SUBJECT, Order.SIZE]


def test_the_use_of_an_order_is_noted(
    office: Office, anna: Entry, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(8):
        insert(office, anna, f"s{n}", size=n)
    inbox = opened(client, client.logon())
    made = contents(client, inbox)
    made.sort((SIZE, UP))
    made.rows(1)
    settle(client)
    far = 1 << 62
    with office.store.read() as txn:
        (before,) = [views.View(txn, anna.mailbox, Special.INBOX, Order.SIZE).used]
    made.rows(1)
    settle(client)
    monkeypatch.setattr(tables, "NOTED", -far)
    made.rows(1)
    settle(client)
    with office.store.read() as txn:
        assert views.View(txn, anna.mailbox, Special.INBOX, Order.SIZE).used > before


def test_what_the_store_does_not_keep(office: Office, anna: Entry, client: Client) -> None:
    for n in range(8):
        insert(office, anna, f"s{n}", size=n)
    inbox = opened(client, client.logon())
    made = contents(client, inbox)
    assert len(made.rows()) == 8
    assert made.restrict(r.Exist(SUBJECT)).code == 0
    assert made.sort((SIZE, UP)).code == 0
    assert len(made.rows()) == 8
    assert made.sort((tags.PidTagMessageClass, UP)).code == 0
    assert len(made.rows()) == 8
    settle(client)
    assert kept(office, anna) == []


def test_a_small_folder_is_not_worth_it(
    office: Office, anna: Entry, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_contents_table, "LEAST", 50)
    for n in range(8):
        insert(office, anna, f"s{n}", size=n)
    made = contents(client, opened(client, client.logon()))
    assert made.sort((SIZE, UP)).code == 0
    assert len(made.rows()) == 8
    settle(client)
    assert kept(office, anna) == []
