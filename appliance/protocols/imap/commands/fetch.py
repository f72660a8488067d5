"""FETCH and UID FETCH (RFC 9051 6.4.5, 6.4.9) with CHANGEDSINCE and VANISHED (RFC 7162 3.1.4, 3.2.6).

Messages are read in batches: hot facts on the loop's thread for a few milliseconds at a time, everything
else in a reader thread. Between two batches the client is given time to read. \\Seen is set before the
octets are sent, in one write function for each step, so that flags and octets come in one reply.
"""

import asyncio
import time
from collections.abc import Iterator
from itertools import compress

from appliance.mailbox import items
from appliance.mailbox.items import FlagChange, How
from appliance.mailbox.rights import effective
from appliance.protocols.imap import sequence
from appliance.protocols.imap.announce import new_keywords
from appliance.protocols.imap.errors import No
from appliance.protocols.imap.fetch_columns import Batch, Lines
from appliance.protocols.imap.fetch_grammar import Fact, FetchRequest, parse_fetch
from appliance.protocols.imap.fetch_plan import Plan, Reply, compile_plan
from appliance.protocols.imap.limits import BODY_CHUNK, FETCH_BATCH, FETCH_SLICE
from appliance.protocols.imap.octets import Message, Stream
from appliance.protocols.imap.progress import Progress
from appliance.protocols.imap.resync import changed_since, vanished_since
from appliance.protocols.imap.selected import Place, Selected, Snapshot
from appliance.protocols.imap.sequence import Ranges
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import Announce, Command, Done, State
from appliance.store import contents, folders
from appliance.store.contents import RowFlag
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.permissions import Right

COLUMN_BATCH = 2048
"""Messages that are read by column at most in one transaction."""

COLD_BATCH_BYTES = 1 << 20
"""Octets of replies that one read transaction in a reader thread gathers at most."""

_Cold = tuple[Reply, int, int, No | None]
"""Replies, the last UID (0: that was all), how many messages, what was refused."""


async def run(session: Session, request: FetchRequest) -> Done:
    """Send what was asked for of each message."""
    if Fact.MODSEQ in request.items or request.changed_since is not None:
        session.enable_condstore()
    view = session.folder
    with session.services.store.read() as txn:
        snapshot = view.at(txn)
        wanted = snapshot.resolve(request.messages, uid=request.uid)
        missing = not request.uid and snapshot.missing(wanted)
        if request.changed_since is not None:
            if request.vanished:
                _tell_vanished(session, txn, view, request)
            changed = changed_since(txn, view.mailbox, view.fid, request.changed_since, wanted)
            wanted = Ranges.of(changed)
    plan = compile_plan(session, request.items, uid=request.uid, modseq=request.changed_since is not None)
    seen = await _mark_seen(session, view, wanted) if plan.marks_seen else frozenset()
    if plan.cold or plan.lines is None:
        missing |= await _fetch_cold(session, plan, wanted, seen, request.uid)
    else:
        await _fetch_hot(session, plan.lines, wanted)
    if missing and not request.uid:
        raise No("Some of the messages are gone.", b"EXPUNGEISSUED")  # RFC 2180 4.1.2, RFC 5530
    return Done("Fetch completed.")


def _tell_vanished(session: Session, txn: ReadTxn, view: Selected, request: FetchRequest) -> None:
    if not session.qresync or request.changed_since is None:
        return
    last = folders.get(txn, view.mailbox, view.fid).uidnext - 1
    within = request.messages.resolve(max(last, 1)).clip(1, max(last, 1))
    gone = vanished_since(txn, view.mailbox, view.fid, request.changed_since, within)
    if gone:
        session.write(b"VANISHED (EARLIER) " + sequence.render(gone.pairs))


async def _mark_seen(session: Session, view: Selected, wanted: Ranges) -> frozenset[int]:
    """Set \\Seen on those that lack it; their UIDs."""
    if view.read_only:
        return frozenset()
    services, actor = session.services, session.actor
    now = services.now()

    def look(txn: ReadTxn) -> list[int]:
        if not effective(txn, actor, view.mailbox, view.fid) & (Right.READ_ANY | Right.FOLDER_OWNER):
            return []
        if not folders.get(txn, view.mailbox, view.fid).unread:
            return []
        places = view.at(txn).places(wanted, 0, sequence.MAX_NUMBER)
        rows = (contents.find(txn, view.mailbox, view.fid, place.mid) for place in places)
        return [row.uid for row in rows if row is not None and not row.flags & RowFlag.SEEN]

    if wanted.count <= FETCH_BATCH:
        with services.store.read() as txn:
            unseen = look(txn)
    else:
        unseen = await services.read(look)
    change = FlagChange(How.ADD, RowFlag.SEEN)
    marked: set[int] = set()
    for start in range(0, len(unseen), items.STEP):
        step = unseen[start : start + items.STEP]

        def write(txn: WriteTxn, step: list[int] = step) -> list[int]:
            rows, _ = items.change_flags(txn, actor, view.mailbox, view.fid, step, change, now=now)
            return [row.uid for row in rows]

        # a disk that is full must not keep anyone from reading
        marked.update(await services.write(write, reserve=True))
    return frozenset(marked)


async def _fetch_hot(session: Session, lines_of: Lines, wanted: Ranges) -> None:
    """Items of the hot row alone: on the loop's thread, a few milliseconds at a time."""
    view, channel, store = session.folder, session.channel, session.services.store
    after = 0
    while True:
        with store.read() as txn:
            lines, after = _hot_lines(txn, view, lines_of, wanted, after)
        if lines:
            channel.write(b"".join(lines))
            await channel.relieve()
        if not after:
            return
        await asyncio.sleep(0)


def _hot_lines(
    txn: ReadTxn, view: Selected, lines_of: Lines, wanted: Ranges, after: int
) -> tuple[list[bytes], int]:
    """Replies for as long as a slice lasts, and the last UID (0: that was all)."""
    snapshot = view.at(txn)
    deadline = time.monotonic() + FETCH_SLICE
    lines: list[bytes] = []
    while True:
        after, seqs, batch = _batch(txn, view, snapshot, wanted, after)
        for keywords in batch.keywords():
            lines += new_keywords(view, keywords)
        lines += lines_of.replies(batch, seqs, view.recent)
        if not after or time.monotonic() >= deadline:
            return lines, after


def _batch(
    txn: ReadTxn, view: Selected, snapshot: Snapshot, wanted: Ranges, after: int
) -> tuple[int, list[int], Batch]:
    """The next messages: the UID after which to go on (0: that was all), sequence numbers, the messages."""
    seqs, uids, mids = snapshot.columns(wanted, after, COLUMN_BATCH)
    after = uids[-1] if len(uids) == COLUMN_BATCH else 0
    rows = contents.packed_many(txn, view.mailbox, view.fid, uids, mids)
    here = [row for row in rows if row is not None]
    if len(here) != len(rows):
        seqs, uids, mids = (list(compress(each, rows)) for each in (seqs, uids, mids))
    return after, seqs, Batch(txn, view.mailbox, uids, mids, here)


def _rows(txn: ReadTxn, view: Selected, places: list[Place]) -> Iterator[tuple[Place, contents.Row]]:
    rows = contents.find_many(txn, view.mailbox, view.fid, [place.mid for place in places])
    return zip(places, rows, strict=True)


async def _fetch_cold(session: Session, plan: Plan, wanted: Ranges, seen: frozenset[int], uid: bool) -> bool:
    """Everything else: read in a reader thread, sent here. Whether a message was gone in between."""
    view, channel = session.folder, session.channel
    failure: No | None = None
    progress = Progress(session)
    done = 0
    ahead: asyncio.Task[_Cold] | None = None
    try:
        replies, after, count, refused = await _read_cold(session, plan, wanted, seen, 0)
        while True:
            if after:  # one batch is read while the one before is sent
                ahead = asyncio.create_task(_read_cold(session, plan, wanted, seen, after))
                await asyncio.sleep(0)  # so that it begins now
            failure = failure or refused
            done += count
            await _send(session, replies)
            progress.tell(done)
            if ahead is None:
                break
            replies, after, count, refused = await ahead
            ahead = None
    finally:
        if ahead is not None:
            ahead.cancel()
    await channel.relieve()
    if failure is not None:
        raise failure
    return bool(view.gone) and any(each in wanted for each in view.gone)


async def _read_cold(session: Session, plan: Plan, wanted: Ranges, seen: frozenset[int], after: int) -> _Cold:
    if wanted.count <= 4:
        with session.services.store.read() as txn:
            return _cold_replies(txn, session, plan, wanted, seen, after)
    return await session.services.read(lambda txn: _cold_replies(txn, session, plan, wanted, seen, after))


def _cold_replies(
    txn: ReadTxn, session: Session, plan: Plan, wanted: Ranges, seen: frozenset[int], after: int
) -> _Cold:
    view = session.folder
    if plan.lines is not None and not seen:
        found = _column_replies(txn, session, plan.lines, wanted, after, plan.whole)
        if found is not None:
            return found
    places = view.at(txn).places(wanted, after, FETCH_BATCH)
    replies: Reply = []
    refused: No | None = None
    size = count = 0
    modseq = session.condstore
    for place, row in _rows(txn, view, places):
        after = place.uid
        count += 1
        if row.keywords:
            replies += new_keywords(view, row.keywords)
        message = Message(txn, view.mailbox, row, place.seq)
        try:
            reply = plan.reply(message, seen=row.uid in seen, modseq=modseq)
        except No as error:
            refused = refused or error
            continue
        replies += reply
        size += row.size if any(isinstance(piece, Stream) for piece in reply) else sum(map(_size, reply))
        if size >= COLD_BATCH_BYTES:
            return replies, after, count, refused
    if places:
        after = places[-1].uid
    return replies, after if len(places) == FETCH_BATCH else 0, count, refused


def _column_replies(
    txn: ReadTxn, session: Session, lines_of: Lines, wanted: Ranges, after: int, whole: bool
) -> _Cold | None:
    """The same for the next messages by column; None when the first of them has to be sent alone."""
    view = session.folder
    after, seqs, batch = _batch(txn, view, view.at(txn), wanted, after)
    if not batch.rows:
        return [], after, 0, None
    first = batch.leading(COLD_BATCH_BYTES) if whole else batch
    if not first.rows:
        return None
    replies: Reply = []
    for keywords in first.keywords():
        replies += new_keywords(view, keywords)
    replies += lines_of.replies(first, seqs[: len(first.rows)], view.recent)
    if len(first.rows) < len(batch.rows):
        after = first.uids[-1]
    return replies, after, len(first.rows), None


def _size(piece: bytes | Stream) -> int:
    return len(piece) if isinstance(piece, bytes) else 0


async def _send(session: Session, replies: Reply) -> None:
    """Send replies; streams are read piece by piece in reader threads while the client keeps up."""
    channel = session.channel
    gathered: list[bytes] = []
    for piece in replies:
        if isinstance(piece, bytes):
            gathered.append(piece)
            continue
        channel.write(b"".join(gathered))
        gathered.clear()
        await _send_stream(session, piece)
    if gathered:
        channel.write(b"".join(gathered))
    await channel.relieve()


async def _send_stream(session: Session, stream: Stream) -> None:
    loop, channel = asyncio.get_running_loop(), session.channel
    pieces = stream.pieces(session.services.store)
    binary = bool(stream.encoding)
    while True:
        data = await loop.run_in_executor(None, next, pieces, None)
        if data is None:
            return
        for start in range(0, len(data), BODY_CHUNK):
            part = data[start : start + BODY_CHUNK]
            channel.write(part if binary else part.replace(b"\0", b"\x80"))
            await channel.relieve()


FETCH = Command(
    b"FETCH", State.SELECTED, lambda cursor: parse_fetch(cursor, uid=False), run, Announce.NO_EXPUNGE
)
UID_FETCH = Command(b"UID FETCH", State.SELECTED, lambda cursor: parse_fetch(cursor, uid=True), run)
