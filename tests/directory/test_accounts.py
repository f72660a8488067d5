"""Accounts: an entry with its mailbox, made at once and taken away in steps."""

from dataclasses import replace

import pytest

from appliance.directory import accounts, entries
from appliance.directory.errors import NotAllowed, Unknown
from appliance.directory.model import Kind
from appliance.mailbox import deliver, items
from appliance.mailbox.actor import SYSTEM
from appliance.mailbox.incoming import Ingest
from appliance.store import mailboxes
from appliance.store.check import Extra, check
from appliance.store.errors import NotFound
from appliance.store.keys import Table, pack, successor
from appliance.store.mailboxes import Special
from tests.conftest import EPOCH
from tests.directory.conftest import Directory

SEEDS = accounts.Seeds(b"o" * 16, b"m" * 16, b"r" * 16, EPOCH)
MAIL = b"From: a@example.test\r\nSubject: Hello\r\n\r\n" + b"Body of a message that is worth a blob\r\n" * 400


def test_the_mailbox_belongs_to_the_entry(directory: Directory) -> None:
    bare = directory.entry("alice@example.test", mailbox=0)
    alice = directory.write(lambda txn: accounts.create(txn, bare, SEEDS))
    with directory.store.read() as txn:
        identity = mailboxes.identity(txn, alice.mailbox)
        assert entries.by_mailbox(txn, alice.mailbox) == alice
    assert (identity.owner, identity.guid, identity.replica_guid) == (alice.id, b"m" * 16, b"r" * 16)
    assert (alice.mailbox_guid, alice.object_guid, alice.created) == (b"m" * 16, b"o" * 16, EPOCH)


def test_a_refused_entry_leaves_no_mailbox(directory: Directory) -> None:
    bare = directory.entry("alice@elsewhere.test", mailbox=0)
    future = directory.store.write(lambda txn: accounts.create(txn, bare, SEEDS))
    assert future.exception() is not None
    with directory.store.read() as txn:
        assert list(mailboxes.identities(txn)) == []


def test_a_contact_has_none(directory: Directory) -> None:
    bare = directory.entry("carol@elsewhere.test", Kind.CONTACT)
    carol = directory.write(lambda txn: accounts.create(txn, bare, SEEDS))
    assert (carol.mailbox, carol.mailbox_guid) == (0, b"")


def test_taken_away_with_everything_in_it(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "STEP", 3)
    store = directory.store
    bare = directory.entry("alice@example.test", mailbox=0)
    alice = directory.write(lambda txn: accounts.create(txn, bare, SEEDS))
    other = replace(SEEDS, object_guid=b"p" * 16)
    bob = directory.write(lambda txn: accounts.create(txn, directory.entry("bob@example.test"), other))
    rows = []
    for number in range(8):
        taking = Ingest(store)
        taking.feed(b"Message-ID: <%d@example.test>\r\n" % (number // 2) + MAIL)
        incoming = taking.finish()
        targets = [deliver.Target(alice.mailbox), deliver.Target(bob.mailbox)]
        outcomes = directory.write(lambda txn, i=incoming, t=targets: deliver.deliver(txn, i, t, now=EPOCH))  # type: ignore[misc]
        rows.append(outcomes[0].row)
    uids = [row.uid for row in rows[:4] if row is not None]
    gone = directory.write(
        lambda txn: items.delete(txn, SYSTEM, alice.mailbox, Special.INBOX, uids, now=EPOCH)
    )
    assert gone == uids
    with pytest.raises(NotAllowed):
        directory.write(lambda txn: accounts.remove_step(txn, alice.id, EPOCH))
    directory.write(lambda txn: accounts.begin_removal(txn, alice))
    steps = 1
    while not directory.write(lambda txn: accounts.remove_step(txn, alice.id, EPOCH)):
        steps += 1
        assert check(store, [Extra("directory", entries.check)]) == []
    assert steps > 2
    with store.read() as txn:
        with pytest.raises(Unknown):
            entries.get(txn, alice.id)
        with pytest.raises(NotFound):
            mailboxes.identity(txn, alice.mailbox)
        prefix = pack(alice.mailbox, Table.META)[:4]
        assert list(txn.scan_keys(prefix, successor(prefix))) == []
        assert mailboxes.get(txn, bob.mailbox).count == 8
    assert check(store, [Extra("directory", entries.check)]) == []
