"""STORE and UID STORE (RFC 9051 6.4.6, 6.4.9) with UNCHANGEDSINCE (RFC 7162 3.1.3)."""

from dataclasses import dataclass

from appliance.mailbox import items
from appliance.mailbox.items import FlagChange, How
from appliance.mailbox.rights import effective
from appliance.protocols.imap import flags, sequence
from appliance.protocols.imap.announce import new_keywords
from appliance.protocols.imap.errors import Bad, No
from appliance.protocols.imap.limits import MAX_KEYWORDS
from appliance.protocols.imap.progress import Progress
from appliance.protocols.imap.selected import Selected
from appliance.protocols.imap.sequence import SequenceSet
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import Announce, Command, Done, State
from appliance.protocols.imap.tokens import MAX_NUMBER64, Cursor
from appliance.store.contents import Row, RowFlag
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.permissions import Right

_HOW = {b"FLAGS": How.REPLACE, b"+FLAGS": How.ADD, b"-FLAGS": How.REMOVE}


@dataclass(frozen=True, slots=True)
class Request:
    """Messages, and what becomes of their flags."""

    messages: SequenceSet
    uid: bool
    how: How
    silent: bool
    bits: int
    keywords: tuple[str, ...]
    unchanged_since: int | None


def parse(cursor: Cursor, *, uid: bool) -> Request:
    """sequence-set [SP "(" UNCHANGEDSINCE n ")"] SP store-att-flags."""
    cursor.space()
    messages = cursor.sequence_set()
    unchanged_since = None
    cursor.space()
    if cursor.accept(b"("):
        if cursor.word("a modifier") != b"UNCHANGEDSINCE":
            raise Bad("Unknown STORE modifier.")
        cursor.space()
        unchanged_since = cursor.number(MAX_NUMBER64)
        cursor.require(b")")
        cursor.space()
    word = cursor.word("FLAGS, +FLAGS or -FLAGS")
    silent = word.endswith(b".SILENT")
    how = _HOW.get(word.removesuffix(b".SILENT"))
    if how is None:
        raise Bad("Expected FLAGS, +FLAGS or -FLAGS.")
    cursor.space()
    names = cursor.flag_list() if cursor.peek() == b"(" else _bare(cursor)
    cursor.end()
    bits, keywords = flags.split(names)
    return Request(messages, uid, how, silent, bits, keywords, unchanged_since)


def _bare(cursor: Cursor) -> list[bytes]:
    found = [cursor.flag()]
    while cursor.accept(b" "):
        found.append(cursor.flag())
        if len(found) > MAX_KEYWORDS:
            raise Bad("Too many flags.")
    return found


def _allowed(request: Request, rights: Right) -> FlagChange:
    """The change as far as the rights go (RFC 4314 4): flags without right are left out, and it is refused
    when none is left. Raises No [NOPERM]."""
    bits, keywords, how = request.bits, request.keywords, request.how
    if rights & Right.FOLDER_OWNER or rights >= Right.EDIT_ANY | Right.DELETE_ANY:
        return FlagChange(how, RowFlag(bits), keywords)
    may = int(RowFlag.SEEN)
    if rights & Right.DELETE_ANY:
        may |= int(RowFlag.DELETED)
    if rights & Right.EDIT_ANY:
        may |= flags.SHOWN & ~int(RowFlag.DELETED)
    else:
        keywords = ()
        if how is How.REPLACE:
            how = How.ADD
    if not bits & may and not keywords and (request.bits or request.keywords):
        raise No("You may not change these flags.", b"NOPERM")
    return FlagChange(how, RowFlag(bits & may), keywords)


async def run(session: Session, request: Request) -> Done:
    """Change the flags and tell them, unless that is not wanted."""
    view = session.writable()
    if request.unchanged_since is not None:
        session.enable_condstore()
    services, actor, now = session.services, session.actor, session.services.now()

    def look(txn: ReadTxn) -> tuple[list[int], bool, Right]:
        snapshot = view.at(txn)
        wanted = snapshot.resolve(request.messages, uid=request.uid)
        rights = effective(txn, actor, view.mailbox, view.fid)
        return list(snapshot.existing(wanted)), snapshot.missing(wanted), rights

    with services.store.read() as txn:
        uids, missing, rights = look(txn)
    change = _allowed(request, rights)
    progress = Progress(session, len(uids))
    failed: list[int] = []
    for start in range(0, len(uids), items.STEP):
        step = uids[start : start + items.STEP]

        def write(txn: WriteTxn, step: list[int] = step) -> tuple[list[Row], list[int]]:
            return items.change_flags(
                txn,
                actor,
                view.mailbox,
                view.fid,
                step,
                change,
                now=now,
                unchanged_since=request.unchanged_since,
            )

        # a disk that is full must not keep anyone from marking messages as deleted
        rows, unchanged = await services.write(write, reserve=True)
        failed += unchanged
        _tell(session, view, request, rows, unchanged)
        await session.channel.relieve()
        progress.tell(start + len(step))
    if failed:
        with services.store.read() as txn:
            numbers = view.at(txn).numbers(failed, uid=request.uid)
        # RFC 7162 3.1.3: those that failed, with OK, since the rest was done
        return Done("Conditional STORE failed for some.", b"MODIFIED " + sequence.compress(numbers))
    if missing and not request.uid:
        raise No("Some of the messages are gone.", b"EXPUNGEISSUED")
    return Done("Store completed.")


def _tell(session: Session, view: Selected, request: Request, rows: list[Row], failed: list[int]) -> None:
    """FETCH replies with the new flags; .SILENT still tells mod-sequences (RFC 7162 3.1.3)."""
    conditional = session.condstore
    if request.silent and not conditional:
        return
    lines: list[bytes] = []
    with session.services.store.read() as txn:
        snapshot = view.at(txn)
        for row in rows:
            parts = []
            if request.uid or session.qresync:
                parts.append(b"UID %d" % row.uid)
            if not request.silent:
                lines += new_keywords(view, row.keywords)
                text = flags.text(row.flags & flags.SHOWN, row.keywords, view.is_recent(row.uid))
                parts.append(b"FLAGS (%s)" % text)
            if conditional:
                parts.append(b"MODSEQ (%d)" % row.mod)
            lines.append(b"* %d FETCH (%s)\r\n" % (snapshot.seq(row.uid), b" ".join(parts)))
    view.changed.update(failed)
    session.channel.write(b"".join(lines))


STORE = Command(b"STORE", State.SELECTED, lambda cursor: parse(cursor, uid=False), run, Announce.NO_EXPUNGE)
UID_STORE = Command(b"UID STORE", State.SELECTED, lambda cursor: parse(cursor, uid=True), run)
