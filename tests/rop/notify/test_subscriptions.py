"""Notifications: what a session asked for reaches it, once, with the fields that its kind has."""

from collections.abc import Callable

import pytest

from appliance.directory.model import Entry
from appliance.mailbox import folders as mailbox_folders
from appliance.mailbox import items, rights
from appliance.mailbox.actor import Actor
from appliance.mailbox.items import FlagChange, How
from appliance.mapi import errors as ec
from appliance.rop import batch
from appliance.rop.notify.data import TYPE_MASK, Bit, NotificationData, Type
from appliance.rop.ops import register_notification as register
from appliance.rop.ops import release
from appliance.store import contents, folders, mailboxes, permissions, search_folders
from appliance.store.contents import RowFlag
from appliance.store.edit import editing
from appliance.store.folders import FolderKind
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.search_folders import SearchFlag
from appliance.transport.housekeeping import look
from tests.conftest import EPOCH
from tests.rop.kit import Client
from tests.rop.mail import append, deliver
from tests.transport.office import Office

ALL = Type(0x00FE)


def subscribe(client: Client, on: int, types: Type = ALL, **scope: int) -> int:
    request = register.Request(types, None, not scope, **scope)
    return client.do(register.ROP, request, on=on).handle


def told(client: Client) -> list[NotificationData]:
    """What the next Execute tells; it needs no ROP."""
    assert client.wait()
    return [notice.data for notice in client.batch([]).notices]


def kinds(told: list[NotificationData]) -> list[tuple[Type, bool]]:
    """(kind, whether of a message) of each."""
    return [(Type(data.flags & TYPE_MASK), bool(data.flags & Bit.MESSAGE)) for data in told]


@pytest.mark.covers(
    "MS-OXCROPS_2.2.14.2",
    "MS-OXCROPS_R453901",
    "MS-OXCROPS_R4506",
)
@pytest.mark.covers(
    "MS-OXCNOTIF_R32",
    "MS-OXCNOTIF_R34",
    "MS-OXCNOTIF_R35",
    "MS-OXCNOTIF_R36",
    "MS-OXCNOTIF_R86",
    "MS-OXCNOTIF_R240",
    "MS-OXCNOTIF_R241",
    "MS-OXCNOTIF_R287",
    "MS-OXCNOTIF_R289",
    "MS-OXCNOTIF_R290",
    "MS-OXCNOTIF_R1",
    "MS-OXCNOTIF_R474",
    "MS-OXCNOTIF_R54001",
    "MS-OXCNOTIF_R41",
    "MS-OXCNOTIF_R42",
    "MS-OXCNOTIF_R52",
)
def test_new_mail(client: Client, office: Office, anna: Entry) -> None:
    handle = subscribe(client, client.logon())
    row = deliver(office, anna)
    assert client.wait()
    result = client.batch([])
    assert {notice.handle for notice in result.notices} == {handle}
    new, created, counts = (notice.data for notice in result.notices)
    assert kinds([new, created, counts]) == [
        (Type.NEW_MAIL, True),
        (Type.OBJECT_CREATED, True),
        (Type.OBJECT_MODIFIED, False),
    ]
    assert (new.folder_id, new.message_id) == (Special.INBOX, row.mid)
    assert (new.unicode_flag, new.message_class) == (1, "IPM.Note")
    assert (created.parent_folder_id, created.tags) == (None, ())
    assert counts.flags & (Bit.TOTAL | Bit.UNREAD) == Bit.TOTAL | Bit.UNREAD
    assert (counts.total, counts.unread, counts.tags) == (1, 1, ())
    assert client.batch([]).notices == []


@pytest.mark.covers("MS-OXCNOTIF_R220", "MS-OXCNOTIF_R219", "MS-OXCNOTIF_R225")
def test_a_client_with_a_copy_is_told_the_class_in_ascii(client: Client, office: Office, anna: Entry) -> None:
    client.session.cached = True
    subscribe(client, client.logon(), Type.NEW_MAIL)
    deliver(office, anna)
    (new,) = told(client)
    assert (new.unicode_flag, new.message_class) == (0, "IPM.Note")


def own(anna: Entry) -> Actor:
    return Actor(user=anna.id, mailbox=anna.mailbox)


@pytest.mark.covers(
    "MS-OXCNOTIF_R39", "MS-OXCNOTIF_R40", "MS-OXCNOTIF_R44", "MS-OXCNOTIF_R45", "MS-OXCNOTIF_R46"
)
def test_copied_moved_changed_deleted(client: Client, office: Office, anna: Entry) -> None:
    row = append(office, anna)
    subscribe(client, client.logon(), Type(ALL & ~Type.OBJECT_CREATED))
    where = (anna.mailbox, Special.INBOX, [row.uid], anna.mailbox, Special.DRAFTS)
    ((_, copied),) = office.write(lambda txn: items.copy(txn, own(anna), *where, now=EPOCH))
    ((_, moved),) = office.write(lambda txn: items.move(txn, own(anna), *where, now=EPOCH))
    seen = FlagChange(How.ADD, RowFlag.SEEN)
    drafts = (anna.mailbox, Special.DRAFTS, [moved.uid])
    office.write(lambda txn: items.change_flags(txn, own(anna), *drafts, seen, now=EPOCH))
    office.write(lambda txn: items.delete(txn, own(anna), *drafts, now=EPOCH))
    heard: list[NotificationData] = []
    while len([data for data in heard if data.flags & Bit.MESSAGE]) < 4:
        heard += told(client)
    events = [data for data in heard if data.flags & Bit.MESSAGE]
    assert [data.flags & TYPE_MASK for data in events] == [
        Type.OBJECT_COPIED,
        Type.OBJECT_MOVED,
        Type.OBJECT_MODIFIED,
        Type.OBJECT_DELETED,
    ]
    for data, new in zip(events, (copied, moved), strict=False):
        assert (data.folder_id, data.message_id) == (Special.DRAFTS, new.mid)
        assert (data.old_folder_id, data.old_message_id) == (Special.INBOX, row.mid)


@pytest.mark.covers("MS-OXCNOTIF_R43")
def test_folders(client: Client, office: Office, anna: Entry) -> None:
    subscribe(client, client.logon())
    actor = own(anna)
    made = office.write(lambda txn: mailbox_folders.create(txn, actor, anna.mailbox, ("One",), now=EPOCH))
    office.write(
        lambda txn: mailbox_folders.rename(txn, actor, anna.mailbox, ("One",), ("Inbox", "Two"), now=EPOCH)
    )
    office.write(lambda txn: mailbox_folders.delete(txn, actor, anna.mailbox, made.fid, now=EPOCH))
    heard: list[NotificationData] = []
    while len(heard) < 3 or heard[-1].flags & TYPE_MASK != Type.OBJECT_DELETED:
        heard += told(client)
    created, moved, deleted = (data for data in heard if data.folder_id == made.fid)
    assert created.parent_folder_id == Special.IPM_SUBTREE
    assert (moved.parent_folder_id, moved.old_parent_folder_id) == (Special.INBOX, Special.IPM_SUBTREE)
    assert (moved.old_folder_id, deleted.flags & TYPE_MASK) == (made.fid, Type.OBJECT_DELETED)
    assert deleted.parent_folder_id == Special.INBOX


@pytest.mark.covers("MS-OXCNOTIF_R53")
def test_a_scope_is_a_folder_or_a_message(client: Client, office: Office, anna: Entry) -> None:
    first, second = append(office, anna), append(office, anna)
    logon = client.logon()
    of_message = subscribe(client, logon, folder_id=Special.INBOX, message_id=second.mid)
    of_folder = subscribe(client, logon, Type.OBJECT_CREATED, folder_id=Special.DRAFTS, message_id=0)
    append(office, anna, Special.DRAFTS)
    flag = FlagChange(How.ADD, RowFlag.FLAGGED)
    for row in (first, second):
        office.write(
            lambda txn, uid=row.uid: items.change_flags(  # type: ignore[misc]
                txn, own(anna), anna.mailbox, Special.INBOX, [uid], flag, now=EPOCH
            )
        )
    heard = []
    while len(heard) < 2:
        assert client.wait()
        heard += client.batch([]).notices
    by_handle = {notice.handle: notice.data for notice in heard}
    assert len(heard) == 2
    assert by_handle[of_message].message_id == second.mid
    assert by_handle[of_folder].folder_id == Special.DRAFTS


def test_released_subscriptions_are_silent(client: Client, office: Office, anna: Entry) -> None:
    logon = client.logon()
    client.ask(release.ROP, on=subscribe(client, logon))
    loud = subscribe(client, logon, Type.OBJECT_CREATED)
    deliver(office, anna)
    assert client.wait()
    assert [notice.handle for notice in client.batch([]).notices] == [loud]


@pytest.mark.covers(
    "MS-OXCROPS_R453902",
    "MS-OXCROPS_R4693031",
)
@pytest.mark.covers(
    "MS-OXCNOTIF_R81",
    "MS-OXCNOTIF_R82",
    "MS-OXCNOTIF_R8201",
    "MS-OXCNOTIF_R338",
    "MS-OXCNOTIF_R345",
    "MS-OXCNOTIF_R347",
    "MS-OXCNOTIF_R349",
    "MS-OXCROPS_3.1.5.1.3",
    "MS-OXCROPS_2.2.14.3",
    "MS-OXCROPS_2.2.14.3.1",
)
def test_what_does_not_fit_is_pending(client: Client, office: Office, anna: Entry) -> None:
    subscribe(client, client.logon(), Type.OBJECT_CREATED)
    for _ in range(5):
        append(office, anna)
    heard, pending = [], True
    while len(heard) < 5:
        assert client.wait()
        result = client.batch([], limit=64)
        heard += result.notices
        pending = result.pending
        assert pending == bool(client.session.notices)
    assert len(heard) == 5


def make_search(office: Office, anna: Entry) -> int:
    """A search folder that has found everything in the inbox."""
    top = Special.FINDER

    def make(txn: WriteTxn) -> int:
        with mailboxes.changing(txn, anna.mailbox) as clock:
            made = folders.create(txn, clock, top, "All", now=EPOCH, kind=FolderKind.SEARCH)
        search_folders.define(
            txn, anna.mailbox, made.fid, restriction=b"", scope=(Special.INBOX,), flags=SearchFlag.NONE
        )
        return made.fid

    fid = office.write(make)
    follow(office, anna, fid)
    return fid


def follow(office: Office, anna: Entry, fid: int) -> None:
    """Let a search folder find what there is."""
    done = False
    while not done:
        with office.store.read() as txn:
            step = search_folders.plan(txn, anna.mailbox, fid, look)
        assert step is not None

        def apply(txn: WriteTxn, step: search_folders.Plan = step) -> bool:
            with editing(txn, anna.mailbox, now=EPOCH) as edit:
                return search_folders.apply(edit, step)

        done = office.write(apply)


@pytest.mark.covers("MS-OXCNOTIF_R47")
def test_a_search_that_ended(client: Client, office: Office, anna: Entry) -> None:
    row = append(office, anna)
    subscribe(client, client.logon(), Type.SEARCH_COMPLETED | Type.OBJECT_CREATED | Type.OBJECT_DELETED)
    fid = make_search(office, anna)
    heard: list[NotificationData] = []
    while not heard or heard[-1].flags & TYPE_MASK != Type.SEARCH_COMPLETED:
        heard += told(client)
    found, completed = heard[-2:]
    assert completed.folder_id == fid
    assert found.flags == Type.OBJECT_CREATED | Bit.MESSAGE | Bit.SEARCH
    assert (found.folder_id, found.message_id, found.parent_folder_id) == (Special.INBOX, row.mid, fid)


@pytest.mark.covers(
    "MS-OXCNOTIF_R40002", "MS-OXCROPS_2.2.14.1.1", "MS-OXCROPS_2.2.14.1.2", "MS-OXCROPS_2.2.14.1"
)
def test_the_extended_form_and_its_bytes(client: Client) -> None:
    logon = client.logon()
    whole = b"\x29\x00\x00\x01" + b"\x04\x04" + b"\x00" + b"\x01"
    scoped = b"\x29\x00\x00\x02" + b"\x04\x00" + b"\x00" + b"\x01\0\0\0\0\0\0\x01" + bytes(8)
    (answer,) = client.raw(batch.pack(whole + scoped, [logon, batch.NO_HANDLE, batch.NO_HANDLE]))
    assert answer[:14] == b"\x0e\x00" + b"\x29\x01\0\0\0\0" + b"\x29\x02\0\0\0\0"
    assert len(answer) == 14 + 12
    assert batch.NO_HANDLE.to_bytes(4, "little") not in answer[14:]


def test_unknown_kinds_are_refused(client: Client) -> None:
    request = register.Request(Type(0x8001), None, True)
    assert client.ask(register.ROP, request, on=client.logon()).code == ec.ecInvalidParam


def test_delegates_hear_of_what_they_may_see(
    connect: Callable[..., Client], office: Office, anna: Entry
) -> None:
    bert = office.user("bert@example.test")
    inbox = (anna.mailbox, Special.INBOX)
    office.write(lambda txn: rights.grant(txn, own(anna), *inbox, bert.id, permissions.Right(0x401)))
    client = connect(bert)
    subscribe(client, client.logon(anna), Type.OBJECT_CREATED)
    append(office, anna, Special.DRAFTS)
    row = append(office, anna, Special.INBOX)
    assert [data.message_id for data in told(client)] == [row.mid]


def test_one_reading_for_all_who_watch(connect: Callable[..., Client], office: Office, anna: Entry) -> None:
    clients = [connect(anna) for _ in range(20)]
    for client in clients:
        subscribe(client, client.logon(), Type.OBJECT_CREATED)
    row = deliver(office, anna)
    for client in clients:
        assert [data.message_id for data in told(client)] == [row.mid]
    assert clients[0].engine.hub.readings == 1
    with office.store.read() as txn:
        assert contents.get(txn, anna.mailbox, Special.INBOX, row.mid).mid == row.mid
