"""CLOSE, UNSELECT (RFC 9051 6.4.1, 6.4.2) and EXPUNGE, UID EXPUNGE (RFC 9051 6.4.3, 6.4.9)."""

from dataclasses import dataclass

from appliance.mailbox import items
from appliance.mailbox.rights import effective
from appliance.protocols.imap.errors import No
from appliance.protocols.imap.progress import Progress
from appliance.protocols.imap.selected import all_uids
from appliance.protocols.imap.sequence import Ranges, SequenceSet
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import Announce, Command, Done, State, no_arguments
from appliance.protocols.imap.tokens import Cursor
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.permissions import Right


@dataclass(frozen=True, slots=True)
class Request:
    """The UIDs of UID EXPUNGE, or None for all."""

    messages: SequenceSet | None


def parse_expunge(cursor: Cursor) -> Request:
    """Nothing."""
    cursor.end()
    return Request(None)


def parse_uid_expunge(cursor: Cursor) -> Request:
    """sequence-set."""
    cursor.space()
    messages = cursor.sequence_set()
    cursor.end()
    return Request(messages)


async def _expunge(session: Session, wanted: Ranges) -> int:
    """Expunge the messages with \\Deleted among `wanted`; how many went."""
    view = session.writable()
    mailbox, fid, actor = view.mailbox, view.fid, session.actor
    now = session.services.now()

    def look(txn: ReadTxn) -> list[int]:
        return [uid for uid in items.deleted_uids(txn, mailbox, fid) if uid in wanted]

    deleted = await session.services.read(look)
    progress = Progress(session, len(deleted))
    gone = 0
    for start in range(0, len(deleted), items.STEP):
        step = deleted[start : start + items.STEP]

        def write(txn: WriteTxn, step: list[int] = step) -> int:
            return len(items.expunge(txn, actor, mailbox, fid, step, now=now))

        gone += await session.services.write(write, reserve=True)
        progress.tell(start + len(step))
    return gone


async def expunge(session: Session, request: Request) -> Done:
    """Remove what is marked \\Deleted."""
    view = session.writable()
    with session.services.store.read() as txn:
        snapshot = view.at(txn)
        wanted = (
            all_uids().clip(1, max(view.ceiling, 1))
            if request.messages is None
            else snapshot.resolve(request.messages, uid=True)
        )
    gone = await _expunge(session, wanted)
    if not gone or not session.qresync:
        return Done("Expunge completed.")
    # RFC 7162 3.2.7: what the client has seen once the expunges are told
    await session.announce(Announce.ALL)
    with session.services.store.read() as txn:
        modseq = view.modseq(txn)
    return Done("Expunge completed.", b"HIGHESTMODSEQ %d" % modseq)


async def close(session: Session, _: None) -> Done:
    """Remove what is marked \\Deleted without telling, and leave the folder."""
    view = session.folder
    code = b""
    if not view.read_only:
        with session.services.store.read() as txn:
            rights = effective(txn, session.actor, view.mailbox, view.fid)
        if rights & (Right.DELETE_ANY | Right.FOLDER_OWNER):
            try:
                gone = await _expunge(session, all_uids())
            except No:
                gone = 0
            if gone and session.qresync:
                with session.services.store.read() as txn:
                    code = b"HIGHESTMODSEQ %d" % view.modseq(txn)  # RFC 7162 3.2.8
    session.unselect()
    return Done("Close completed.", code)


async def unselect(session: Session, _: None) -> Done:
    """Leave the folder as it is."""
    session.unselect()
    return Done("Unselect completed.")


CLOSE = Command(b"CLOSE", State.SELECTED, no_arguments, close, Announce.NOTHING)
UNSELECT = Command(b"UNSELECT", State.SELECTED, no_arguments, unselect, Announce.NOTHING)
EXPUNGE = Command(b"EXPUNGE", State.SELECTED, parse_expunge, expunge)
UID_EXPUNGE = Command(b"UID EXPUNGE", State.SELECTED, parse_uid_expunge, expunge)
