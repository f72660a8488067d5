"""Operations on messages, and who may do them."""

from collections.abc import Callable

import pytest

from appliance.mailbox import deliver, folders, items, quotas, rights
from appliance.mailbox.actor import SYSTEM, Actor
from appliance.mailbox.errors import Reason, Refused
from appliance.mailbox.incoming import Incoming, Ingest
from appliance.mailbox.items import FlagChange, How
from appliance.store import blobs, contents, messages
from appliance.store import folders as rows
from appliance.store.contents import Row, RowFlag
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.permissions import Right
from appliance.store.store import Store
from tests.conftest import EPOCH

MAIL = b"From: a@example.test\r\nMessage-ID: <1@example.test>\r\nSubject: Hello\r\n\r\nBody\r\n"


def ingest(store: Store, raw: bytes = MAIL) -> Incoming:
    taking = Ingest(store)
    for start in range(0, len(raw), 70_000):
        future = taking.feed(raw[start : start + 70_000])
        if future is not None:
            future.result()
    return taking.finish()


def owner(mailbox: int) -> Actor:
    return Actor(user=mailbox, mailbox=mailbox, session=mailbox)


def append(store: Store, mailbox: int, fid: int = Special.INBOX, raw: bytes = MAIL) -> Row:
    incoming = ingest(store, raw)
    return store.write(
        lambda txn: items.append(txn, owner(mailbox), mailbox, fid, incoming, received=EPOCH, now=EPOCH)
    ).result()


def test_delivery_to_several_keeps_one_copy(store: Store, make_mailbox: Callable[[], int]) -> None:
    boxes = [make_mailbox() for _ in range(3)]
    incoming = ingest(store)
    targets = [deliver.Target(box, prefix=b"Delivered-To: %d\r\n" % box) for box in boxes]
    outcomes = store.write(lambda txn: deliver.deliver(txn, incoming, targets, now=EPOCH)).result()
    assert all(outcome.refused is None for outcome in outcomes)
    with store.read() as txn:
        rows = [outcome.row for outcome in outcomes if outcome.row]
        assert len({row.blob for row in rows}) == 1
        assert blobs.info(txn, rows[0].blob).references == 3
        for box, row in zip(boxes, rows, strict=True):
            assert messages.load(txn, box, row.mid).prefix == b"Delivered-To: %d\r\n" % box
        assert blobs.read(txn, rows[0].blob) == MAIL
        structure = blobs.structure(txn, rows[0].blob)
        assert structure is not None
        assert b'"Hello"' in structure.envelope


def test_a_full_mailbox_is_refused_alone(store: Store, make_mailbox: Callable[[], int]) -> None:
    full, other = make_mailbox(), make_mailbox()
    store.write(lambda txn: quotas.set_quota(txn, full, 10)).result()
    incoming = ingest(store)
    targets = [deliver.Target(full), deliver.Target(other), deliver.Target(9999)]
    outcomes = store.write(lambda txn: deliver.deliver(txn, incoming, targets, now=EPOCH)).result()
    assert [outcome.refused and outcome.refused.reason for outcome in outcomes] == [
        Reason.QUOTA,
        None,
        Reason.NOT_FOUND,
    ]


def test_plus_detail_finds_its_folder(store: Store, mailbox: int) -> None:
    me = owner(mailbox)
    made = store.write(lambda txn: folders.create(txn, me, mailbox, ("Lists", "Dev"), now=EPOCH)).result()
    assert made.container_class == "IPF.Note"
    incoming = ingest(store)
    target = deliver.Target(mailbox, detail="lists")
    (outcome,) = store.write(lambda txn: deliver.deliver(txn, incoming, [target], now=EPOCH)).result()
    with store.read() as txn:
        assert outcome.row is not None
        assert folders.path_of(txn, mailbox, outcome.row.fid) == ("Lists",)
        assert folders.resolve(txn, mailbox, ("lists", "DEV")) == made.fid


@pytest.mark.parametrize(
    ("how", "flags", "keywords"),
    [
        (How.ADD, RowFlag.SEEN | RowFlag.FLAGGED, ("a", "B")),
        (How.REMOVE, RowFlag.NONE, ("a",)),
        (How.REPLACE, RowFlag.FLAGGED, ("A", "new")),
    ],
)
def test_flags(store: Store, mailbox: int, how: How, flags: RowFlag, keywords: tuple[str, ...]) -> None:
    uid = append(store, mailbox).uid
    me = owner(mailbox)

    def change(change: FlagChange, since: int | None = None) -> tuple[list[Row], list[int]]:
        return store.write(
            lambda txn: items.change_flags(
                txn, me, mailbox, Special.INBOX, [uid], change, now=EPOCH, unchanged_since=since
            )
        ).result()

    (row,), _ = change(FlagChange(How.ADD, RowFlag.SEEN, ("A", "b")))
    new = RowFlag.UNMODIFIED  # flags leave the message as it came
    assert (row.flags, row.keywords) == (new | RowFlag.SEEN, ("A", "b"))
    assert change(FlagChange(How.ADD, RowFlag.DELETED), since=row.mod - 1) == ([], [uid])
    (row,), failed = change(FlagChange(how, flags, keywords), since=row.mod)
    expected = {
        How.ADD: (new | RowFlag.SEEN | RowFlag.FLAGGED, ("A", "b")),
        How.REMOVE: (new | RowFlag.SEEN, ("b",)),
        How.REPLACE: (new | RowFlag.FLAGGED, ("A", "new")),
    }
    assert (row.flags, row.keywords) == expected[how]
    assert failed == []


def test_copy_move_expunge(store: Store, make_mailbox: Callable[[], int]) -> None:
    mailbox, other = make_mailbox(), make_mailbox()
    uids = [append(store, mailbox).uid for _ in range(10)]
    me = Actor(user=mailbox, mailbox=mailbox, admin=True)

    def both(txn: WriteTxn) -> None:
        assert [old for old, _ in items.copy(
            txn, me, mailbox, Special.INBOX, uids[:3], mailbox, Special.SENT, now=EPOCH
        )] == uids[:3]  # fmt: skip
        items.move(txn, me, mailbox, Special.INBOX, uids[:2], mailbox, Special.ARCHIVE, now=EPOCH)
        items.move(txn, me, mailbox, Special.INBOX, uids[2:4], other, Special.INBOX, now=EPOCH)
        flags = FlagChange(How.ADD, RowFlag.DELETED)
        items.change_flags(txn, me, mailbox, Special.INBOX, uids[4:7], flags, now=EPOCH)
        gone = items.expunge(txn, me, mailbox, Special.INBOX, uids[4:], now=EPOCH)
        assert gone == uids[4:7]

    store.write(both).result()
    with store.read() as txn:
        assert [row.uid for row in contents.rows(txn, mailbox, Special.INBOX)] == uids[7:]
        assert len(list(contents.rows(txn, other, Special.INBOX))) == 2
        buried = [deleted.row.mid for deleted in contents.all_buried(txn, mailbox, Special.INBOX)]
    rows = store.write(
        lambda txn: items.restore(txn, me, mailbox, Special.INBOX, buried[:1], now=EPOCH)
    ).result()
    assert rows[0].uid == 11
    assert not rows[0].flags & RowFlag.DELETED
    assert store.write(lambda txn: items.purge_expired(txn, mailbox, EPOCH + 1, now=EPOCH)).result() == 2


def test_rights_decide(store: Store, make_mailbox: Callable[[], int]) -> None:
    mailbox, stranger = make_mailbox(), owner(make_mailbox())
    uid = append(store, mailbox).uid

    def reason(right: Right) -> Reason | None:
        def fn(txn: WriteTxn) -> None:
            rights.grant(txn, SYSTEM, mailbox, Special.INBOX, stranger.user, right)
            change = FlagChange(How.ADD, RowFlag.FLAGGED)
            items.change_flags(txn, stranger, mailbox, Special.INBOX, [uid], change, now=EPOCH)

        try:
            store.write(fn).result()
        except Refused as refused:
            return refused.reason
        return None

    assert reason(Right.NONE) is Reason.NOT_FOUND
    assert reason(rights.ROLES["reviewer"]) is Reason.ACCESS_DENIED
    assert reason(rights.ROLES["editor"]) is None
    assert rights.parse("read-any, create") == Right.READ_ANY | Right.CREATE
    assert rights.describe(rights.ROLES["author"]) == "author"
    with pytest.raises(Refused, match="everything"):
        rights.parse("everything")


def test_folders_come_and_go(store: Store, mailbox: int) -> None:
    me = owner(mailbox)

    def make(*path: str) -> int:
        return store.write(lambda txn: folders.create(txn, me, mailbox, path, now=EPOCH).fid).result()

    fid = make("Work", "2026")
    uid = append(store, mailbox, fid).uid
    with pytest.raises(Refused, match="taken"):
        make("work")
    renamed = store.write(
        lambda txn: folders.rename(txn, me, mailbox, ("Work", "2026"), ("Old", "Deep", "26"), now=EPOCH)
    ).result()
    assert renamed.fid == fid
    with store.read() as txn:
        paths = [listed.path for listed in folders.list_folders(txn, me, mailbox)]
    assert ("Old", "Deep", "26") in paths
    assert paths.index(("Old",)) < paths.index(("Old", "Deep"))
    for path in (("Old",), ("Inbox",)):
        with pytest.raises(Refused):
            store.write(
                lambda txn, path=path: folders.delete(  # type: ignore[misc]
                    txn, me, mailbox, folders.resolve(txn, mailbox, path) or 0, now=EPOCH
                )
            ).result()
    assert store.write(lambda txn: folders.delete(txn, me, mailbox, fid, now=EPOCH)).result() is True
    with store.read() as txn:
        assert folders.resolve(txn, mailbox, ("Old", "Deep", "26")) is None
        (deleted,) = contents.all_buried(txn, mailbox, Special.TRASH)
        assert deleted.row.email_id
    assert uid == 1
    again = make("Old", "Deep", "26")
    with store.read() as txn:
        assert rows.get(txn, mailbox, again).uidvalidity > renamed.uidvalidity
