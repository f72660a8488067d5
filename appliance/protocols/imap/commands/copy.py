"""COPY, MOVE and their UID forms (RFC 9051 6.4.7, 6.4.8; COPYUID: RFC 4315)."""

from dataclasses import dataclass

from appliance.mailbox import items
from appliance.mailbox.actor import SYSTEM
from appliance.mailbox.errors import Refused
from appliance.protocols.imap import sequence
from appliance.protocols.imap.errors import No, missing_target
from appliance.protocols.imap.namespaces import Found, find
from appliance.protocols.imap.progress import Progress
from appliance.protocols.imap.sequence import SequenceSet
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import Announce, Command, Done, State
from appliance.protocols.imap.tokens import Cursor
from appliance.store.kv import WriteTxn


@dataclass(frozen=True, slots=True)
class Request:
    """Messages and where they go."""

    messages: SequenceSet
    uid: bool
    name: str


Pairs = list[tuple[int, int]]


def parse(cursor: Cursor, *, uid: bool) -> Request:
    """sequence-set SP mailbox."""
    cursor.space()
    messages = cursor.sequence_set()
    cursor.space()
    name = cursor.mailbox()
    cursor.end()
    return Request(messages, uid, name)


def _prepare(session: Session, request: Request) -> tuple[list[int], Found]:
    view = session.folder
    with session.services.store.read() as txn:
        snapshot = view.at(txn)
        wanted = snapshot.resolve(request.messages, uid=request.uid)
        if not request.uid and snapshot.missing(wanted):
            raise No("Some of the messages are gone.", b"EXPUNGEISSUED")  # RFC 2180 4.4
        target = find(session, txn, request.name)
        if target is None:
            raise No("No such mailbox.", b"TRYCREATE")
        return list(snapshot.existing(wanted)), target


def _code(target: Found, pairs: Pairs) -> bytes:
    old = sequence.compress(old for old, _ in pairs)
    new = sequence.compress(new for _, new in pairs)
    return b"COPYUID %d %s %s" % (target.folder.uidvalidity, old, new)


async def copy(session: Session, request: Request) -> Done:
    """Copy all, or none."""
    uids, target = _prepare(session, request)
    view, actor, services = session.folder, session.actor, session.services
    now = services.now()
    progress = Progress(session, len(uids))
    pairs: Pairs = []
    for start in range(0, len(uids), items.STEP):
        step = uids[start : start + items.STEP]

        def write(txn: WriteTxn, step: list[int] = step) -> Pairs:
            made = items.copy(txn, actor, view.mailbox, view.fid, step, target.mailbox, target.fid, now=now)
            return [(old, row.uid) for old, row in made]

        try:
            pairs += await services.write(write)
        except Refused as refused:
            await _undo(session, target, [new for _, new in pairs])
            raise missing_target(refused) from refused
        progress.tell(len(pairs))
    if not pairs:
        return Done("No messages were copied.")
    return Done("Copy completed.", _code(target, pairs))


async def _undo(session: Session, target: Found, uids: list[int]) -> None:
    """RFC 9051 6.4.7: a COPY that fails leaves the target as it was."""
    now = session.services.now()
    for start in range(0, len(uids), items.STEP):
        step = uids[start : start + items.STEP]

        def write(txn: WriteTxn, step: list[int] = step) -> None:
            items.delete(txn, SYSTEM, target.mailbox, target.fid, step, now=now)

        await session.services.write(write, reserve=True)


async def move(session: Session, request: Request) -> Done:
    """Move message by message; what was moved is told even if a later one is refused (RFC 6851 3.3)."""
    session.writable()
    uids, target = _prepare(session, request)
    view, actor, services = session.folder, session.actor, session.services
    now = services.now()
    progress = Progress(session, len(uids))
    moved = 0
    for start in range(0, len(uids), items.STEP):
        step = uids[start : start + items.STEP]

        def write(txn: WriteTxn, step: list[int] = step) -> Pairs:
            made = items.move(txn, actor, view.mailbox, view.fid, step, target.mailbox, target.fid, now=now)
            return [(old, row.uid) for old, row in made]

        try:
            # moving to Deleted Items is how most programs delete: allowed on a full disk too
            pairs = await services.write(write, reserve=True)
        except Refused as refused:
            raise missing_target(refused) from refused
        if pairs:
            session.ok(_code(target, pairs), "Moved.")
        await session.announce(Announce.ALL)
        moved += len(pairs)
        progress.tell(moved)
    if session.qresync and moved:
        with services.store.read() as txn:
            return Done("Move completed.", b"HIGHESTMODSEQ %d" % view.modseq(txn))
    return Done("Move completed." if moved else "No messages were moved.")


COPY = Command(b"COPY", State.SELECTED, lambda cursor: parse(cursor, uid=False), copy)
UID_COPY = Command(b"UID COPY", State.SELECTED, lambda cursor: parse(cursor, uid=True), copy)
MOVE = Command(b"MOVE", State.SELECTED, lambda cursor: parse(cursor, uid=False), move)
UID_MOVE = Command(b"UID MOVE", State.SELECTED, lambda cursor: parse(cursor, uid=True), move)
