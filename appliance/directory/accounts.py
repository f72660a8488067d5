"""Entries together with their mailboxes: made in one transaction, taken away in steps.

Taking away: the entry is switched off first, then its mailbox emptied step by step (each within the budget
of a write), and with the last step the entry goes. Interrupted, it is simply begun again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from appliance.directory import entries
from appliance.directory.errors import NotAllowed
from appliance.directory.model import WITH_MAILBOX, Entry
from appliance.store import contents, folders, mailboxes, messages, tree
from appliance.store.contents import Row
from appliance.store.edit import editing
from appliance.store.errors import NotFound
from appliance.store.kv import ReadTxn, WriteTxn

STEP = 200
"""Messages that one step of taking away deletes."""

_FILETIME_OF_UNIX_EPOCH = 116_444_736_000_000_000


@dataclass(frozen=True, slots=True)
class Seeds:
    """What a pure function cannot make itself: three times 16 random bytes, and the time as FILETIME."""

    object_guid: bytes
    mailbox_guid: bytes
    replica_guid: bytes
    now: int


def create(txn: WriteTxn, entry: Entry, seeds: Seeds) -> Entry:
    """Keep a new entry, with a mailbox where its kind has one. Its ids, GUIDs and times are set here.
    Raises what `entries.add` raises."""
    entry = replace(entry, object_guid=seeds.object_guid, created=seeds.now, changed=seeds.now)
    if entry.kind not in WITH_MAILBOX:
        return entries.add(txn, replace(entry, mailbox=0))
    mailbox = tree.create_mailbox(
        txn,
        owner=0,
        guid=seeds.mailbox_guid,
        replica_guid=seeds.replica_guid,
        uidvalidity=max(1, (seeds.now - _FILETIME_OF_UNIX_EPOCH) // 10_000_000 & 0xFFFFFFFF),
        now=seeds.now,
    )
    entry = entries.add(txn, replace(entry, mailbox=mailbox, mailbox_guid=seeds.mailbox_guid))
    mailboxes.set_owner(txn, mailbox, entry.id)
    return entry


def begin_removal(txn: WriteTxn, entry: Entry) -> Entry:
    """Switch an entry off for good, before `remove_step`."""
    return entries.update(txn, replace(entry, enabled=False, hidden=True))


def remove_step(txn: WriteTxn, id: int, now: int) -> bool:
    """One step of taking an entry and its mailbox away; True when nothing is left. Raises Unknown,
    NotAllowed for an entry that `begin_removal` was not called for."""
    entry = entries.get(txn, id)
    if entry.kind in WITH_MAILBOX:
        if entry.enabled:
            raise NotAllowed("switch the account off first")
        if not _mailbox_step(txn, entry.mailbox, now):
            return False
    entries.remove(txn, id)
    return True


def _mailbox_step(txn: WriteTxn, mailbox: int, now: int) -> bool:
    try:
        mailboxes.get(txn, mailbox)
    except NotFound:
        return mailboxes.remove(txn, mailbox)
    rows = list(islice(_rows(txn, mailbox), STEP))
    buried = list(islice(contents.all_buried(txn, mailbox), STEP))
    if not rows and not buried:
        return mailboxes.remove(txn, mailbox)
    with editing(txn, mailbox, now=now) as edit:
        for row in rows:
            messages.purge(edit, row)
        for deleted in buried:
            messages.purge_deleted(edit, deleted)
    return False


def _rows(txn: ReadTxn, mailbox: int) -> Iterator[Row]:
    for folder in folders.walk(txn, mailbox):
        for associated in (False, True):
            yield from contents.rows(txn, mailbox, folder.fid, associated)
