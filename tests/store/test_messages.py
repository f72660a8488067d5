"""Messages under random changes: the store check finds nothing, and the log tells the truth."""

import random
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.formats import bags, mime
from appliance.mapi.tags import PidTagConversationId, PidTagInternetMessageId, PidTagSubject
from appliance.store import blobs, contents, folders, log, messages
from appliance.store.blobs import BlobWriter, Structure
from appliance.store.check import check, repair
from appliance.store.contents import RowFlag
from appliance.store.edit import editing
from appliance.store.keys import SERVER, Table, head_q, head_qi
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.messages import NewMessage
from appliance.store.store import HELD, Store
from appliance.store.uids import UidView
from tests.conftest import EPOCH

FOLDERS = (Special.INBOX, Special.TRASH, Special.SENT)


def prepare(store: Store, body: bytes) -> blobs.Prepared:
    writer = BlobWriter(store)
    for start in range(0, len(body), 50_000):
        future = writer.write(body[start : start + 50_000])
        if future is not None:
            future.result()
    return writer.finish(Structure(mime.scan(body).pack(), b"envelope", b"bodystructure"))


def insert(store: Store, mailbox: int, fid: int, body: bytes, subject: str = "s") -> contents.Row:
    prepared = prepare(store, body)
    conversation = subject.encode().ljust(16, b"\0")[:16]
    bag = bags.pack(
        {
            PidTagSubject: subject,
            PidTagInternetMessageId: f"<{subject}@example.test>",
            PidTagConversationId: conversation,
        }
    )

    def fn(txn: WriteTxn) -> contents.Row:
        with editing(txn, mailbox, now=EPOCH) as edit:
            new = NewMessage(
                blob=blobs.bind(txn, prepared),
                size=prepared.size,
                bag=bag,
                prefix=b"Return-Path: <>\r\n",
                message_id=f"<{subject}@example.test>",
                conversation=conversation,
            )
            return messages.insert(edit, fid, new)

    return store.write(fn).result()


def test_bytes_come_back_from_any_range(store: Store, mailbox: int) -> None:
    rng = random.Random(1)
    body = rng.randbytes(700_000) + b"text " * 50_000
    row = insert(store, mailbox, Special.INBOX, body)
    with store.read() as txn:
        assert blobs.read(txn, row.blob) == body
        structure = Structure(mime.scan(body).pack(), b"envelope", b"bodystructure")
        assert blobs.structure(txn, row.blob) == structure
        for _ in range(50):
            start, length = rng.randrange(len(body)), rng.randrange(150_000)
            assert blobs.read(txn, row.blob, start, length) == body[start : start + length]


def test_the_same_bytes_are_kept_once(store: Store, make_mailbox: Callable[[], int]) -> None:
    body = random.Random(2).randbytes(300_000)
    first = insert(store, make_mailbox(), Special.INBOX, body)
    second = insert(store, make_mailbox(), Special.INBOX, body)
    assert first.blob == second.blob
    with store.read() as txn:
        assert blobs.info(txn, first.blob).references == 2
        assert len(list(blobs.heads(txn))) == 1


def test_what_all_writers_hold_is_bounded(store: Store) -> None:
    piece = random.Random(3).randbytes(blobs.CHUNK)
    writers = [BlobWriter(store) for _ in range(HELD // blobs.CHUNK)]
    spilled = [writer.write(piece) for writer in writers]
    # the form of a chunk takes a byte: the last one is too much
    assert [future is None for future in spilled] == [True] * (len(writers) - 1) + [False]
    for writer in writers[:8]:
        writer.finish()
    for writer in writers[8:16]:
        writer.abort()
    assert all(writer.write(piece) is None for writer in writers[16:24])
    assert writers[-1].finish().number


def test_an_aborted_writer_leaves_nothing(store: Store) -> None:
    writer = BlobWriter(store)
    future = writer.write(random.Random(3).randbytes(blobs.SPILL * blobs.CHUNK))
    assert future is not None
    future.result()
    writer.abort()
    store.write(lambda txn: None).result()
    with store.read() as txn:
        assert list(blobs.numbers(txn)) == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 32))
def test_random_changes_keep_every_invariant(
    store: Store, make_mailbox: Callable[[], int], seed: int
) -> None:
    rng = random.Random(seed)
    boxes = [make_mailbox(), make_mailbox()]
    for number in range(20):
        body = rng.randbytes(rng.choice((10, 5_000, 40_000)))
        insert(store, boxes[0], rng.choice(FOLDERS), body, f"{seed}-{number % 7}")
    seen = {fid: _view(store, boxes[0], fid) for fid in FOLDERS}
    position = {fid: _position(store, boxes[0], fid) for fid in FOLDERS}
    used = {fid: set(seen[fid]) for fid in FOLDERS}
    for _ in range(12):
        store.write(lambda txn: _step(txn, rng, boxes)).result()
        for fid in FOLDERS:
            now = _view(store, boxes[0], fid)
            followed, position[fid] = _follow(store, boxes[0], fid, seen[fid], position[fid])
            assert followed == now
            assert not (now.keys() - seen[fid].keys()) & used[fid], "a UID was used again"
            used[fid] |= now.keys()
            seen[fid] = now
    assert check(store) == []


def _step(txn: WriteTxn, rng: random.Random, boxes: list[int]) -> None:
    mailbox, other = boxes
    fid = rng.choice(FOLDERS)
    rows = list(contents.rows(txn, mailbox, fid))
    chosen = rng.sample(rows, min(len(rows), rng.randrange(1, 5)))
    act = rng.randrange(7)
    with editing(txn, mailbox, now=EPOCH + 1) as edit:
        for row in chosen:
            match act:
                case 0:
                    flags = row.flags ^ rng.choice((RowFlag.SEEN, RowFlag.FLAGGED, RowFlag.NONE))
                    messages.set_state(edit, row, flags, rng.choice(((), ("a",), ("a", "ü b"[0:1]))))
                case 1:
                    messages.copy(edit, row, rng.choice(FOLDERS))
                case 2:
                    messages.move(edit, row, rng.choice(FOLDERS))
                case 3:
                    messages.soft_delete(edit, row)
                case 4:
                    messages.purge(edit, row)
                case 5:
                    blob = NewMessage(blob=0, size=77, bag=bags.pack({PidTagSubject: "rewritten"}))
                    messages.rewrite(edit, row, blob)
                case 6:
                    with editing(txn, other, now=EPOCH) as target:
                        messages.copy(target, row, fid, edit)
        buried = list(contents.all_buried(txn, mailbox, fid))
        for deleted in rng.sample(buried, min(len(buried), 2)):
            if rng.random() < 0.5:
                messages.restore(edit, fid, deleted.row.mid, rng.choice((0, *FOLDERS)))
            else:
                messages.purge_deleted(edit, deleted)


State = dict[int, tuple[int, tuple[str, ...]]]


def _view(store: Store, mailbox: int, fid: int) -> State:
    with store.read() as txn:
        view = UidView(txn, mailbox, fid)
        rows = [contents.get(txn, mailbox, fid, mid) for _, mid in view.range(1, 1 << 31)]
        return {row.uid: (row.flags, row.keywords) for row in rows}


def _position(store: Store, mailbox: int, fid: int) -> int:
    with store.read() as txn:
        return folders.get(txn, mailbox, fid).contents_mod


def _follow(store: Store, mailbox: int, fid: int, state: State, after: int) -> tuple[State, int]:
    """What a client knows after it has followed the log."""
    state = dict(state)
    with store.read() as txn:
        for change in log.changes(txn, mailbox, fid, after):
            after = change.number
            state.pop(change.gone(), None)
            if change.uid and change.kind not in log.DEPARTURES - {log.Kind.RENUMBERED}:
                row = contents.find(txn, mailbox, fid, change.mid)
                if row is not None and row.uid == change.uid:
                    state[row.uid] = (row.flags, row.keywords)
        assert after == folders.get(txn, mailbox, fid).contents_mod
    return state, after


def test_the_check_finds_what_is_wrong_and_repair_mends_it(store: Store, mailbox: int) -> None:
    rows = [insert(store, mailbox, Special.INBOX, b"x" * 100, f"m{n}") for n in range(300)]

    def damage(txn: WriteTxn) -> None:
        folder = folders.get(txn, mailbox, Special.INBOX)
        folder.total += 1
        folder.unread -= 5
        folders.put(txn, mailbox, folder)
        txn.delete(head_q(mailbox, Table.UID_DIRECTORY, Special.INBOX))
        contents.delete(txn, mailbox, rows[5])
        blobs.retain(txn, rows[6].blob)

    store.write(damage).result()
    wrong = "\n".join(check(store))
    for part in ("total is 301", "unread is 295", "UID chunks", "belongs to no message", "2 references"):
        assert part in wrong
    assert repair(store)
    assert check(store) == []
    assert len(_view(store, mailbox, Special.INBOX)) == 299


def test_rot_within_a_blob_is_found(store: Store, mailbox: int) -> None:
    rng = random.Random(9)
    texts = [insert(store, mailbox, Special.INBOX, b"some text " * n, f"t{n}") for n in (50, 5000)]
    noise = insert(store, mailbox, Special.INBOX, rng.randbytes(200_000), "noise")
    assert check(store, contents_too=True) == []
    for row in (*texts, noise):
        key = head_qi(SERVER, Table.BLOBS, row.blob, 2)
        with store.read() as txn:
            stored = txn.get(key)
        assert stored is not None
        rotten = stored[:-9] + bytes([stored[-9] ^ 1]) + stored[-8:]
        store.write(lambda txn, key=key, raw=rotten: txn.put(key, raw)).result()  # type: ignore[misc]
        assert check(store) == []
        assert len(check(store, contents_too=True)) == 1
        store.write(lambda txn, key=key, raw=stored: txn.put(key, raw)).result()  # type: ignore[misc]
    assert check(store, contents_too=True) == []
