"""SELECT and EXAMINE (RFC 9051 6.3.2, 6.3.3), with CONDSTORE and QRESYNC (RFC 7162 3.1.8, 3.2.5)."""

from dataclasses import dataclass

from appliance.protocols.imap import flags, objectids, sequence
from appliance.protocols.imap.announce import claim, flags_line
from appliance.protocols.imap.errors import Bad, No
from appliance.protocols.imap.namespaces import Found, require
from appliance.protocols.imap.resync import changed_since, known_by_match, rows_of, vanished_since
from appliance.protocols.imap.selected import Selected, all_uids
from appliance.protocols.imap.sequence import STAR, Ranges, SequenceSet
from appliance.protocols.imap.session import Feature, Session
from appliance.protocols.imap.table import LOGGED_ON, Announce, Command, Done, State
from appliance.protocols.imap.tokens import MAX_NUMBER64, Cursor
from appliance.protocols.imap.wire import mailbox, parens
from appliance.store import contents, folders, messages
from appliance.store.contents import RowFlag
from appliance.store.kv import ReadTxn
from appliance.store.permissions import Right
from appliance.store.uids import UidView

MAX_LOOKED_AT = 500
"""Messages that are looked at, from the last one back, to find the first unseen one."""

_WRITES = Right.EDIT_ANY | Right.EDIT_OWNED | Right.DELETE_ANY | Right.DELETE_OWNED | Right.FOLDER_OWNER


@dataclass(frozen=True, slots=True)
class Resync:
    """The QRESYNC parameter: what the client remembers."""

    uidvalidity: int
    modseq: int
    known: Ranges | None = None
    match: tuple[Ranges, Ranges] | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A mailbox, and how to open it."""

    name: str
    condstore: bool = False
    resync: Resync | None = None


def parse(cursor: Cursor) -> Request:
    """mailbox [SP "(" select-params ")"]."""
    cursor.space()
    name = cursor.mailbox()
    condstore, resync = False, None
    if cursor.accept(b" ("):
        while True:
            word = cursor.word("a parameter")
            if word == b"CONDSTORE":
                condstore = True
            elif word == b"QRESYNC" and resync is None:
                cursor.space()
                resync = _resync(cursor)
            else:
                raise Bad("Unknown parameter.")
            if cursor.accept(b")"):
                break
            cursor.space()
    cursor.end()
    return Request(name, condstore, resync)


def _resync(cursor: Cursor) -> Resync:
    cursor.require(b"(")
    uidvalidity = cursor.nz_number()
    cursor.space()
    modseq = cursor.nz_number(MAX_NUMBER64)
    known: Ranges | None = None
    match: tuple[Ranges, Ranges] | None = None
    while cursor.accept(b" "):
        if cursor.accept(b"("):
            numbers = _plain(cursor.sequence_set(saved=False))
            cursor.space()
            uids = _plain(cursor.sequence_set(saved=False))
            cursor.require(b")")
            if numbers.count != uids.count:
                raise Bad("The sequence match data do not match.")  # RFC 7162 3.2.5.2
            match = (numbers, uids)
            break
        if known is not None:
            raise Bad("Expected sequence match data.")
        known = _plain(cursor.sequence_set(saved=False))
    cursor.require(b")")
    return Resync(uidvalidity, modseq, known, match)


def _plain(found: SequenceSet) -> Ranges:
    if any(STAR in pair for pair in found.ranges):
        raise Bad("* may not stand here.")  # RFC 7162 7: known-uids
    return found.resolve(0)


async def _open(session: Session, request: Request, *, read_only: bool) -> Done:
    if request.resync is not None and not session.qresync:
        raise Bad("QRESYNC is not enabled.")  # RFC 7162 3.2.5
    session.unselect(closed=True)
    services = session.services
    opened = None
    while opened is None:
        with services.store.read() as txn:
            found = require(session, txn, request.name)
            if not found.rights & (Right.READ_ANY | Right.FOLDER_OWNER):
                raise No("You may not read this mailbox.", b"NOPERM")
            if not messages.unrendered(txn, found.mailbox, found.fid, 1):
                opened = _view(session, txn, found, request, read_only=read_only)
        if opened is None:
            await services.render(found.mailbox, found.fid)
    view, lines = opened
    session.selected = view
    session.state = State.SELECTED
    if session.notifications is not None:
        session.notifications.selected_changed(session)
    session.channel.write(b"".join(lines))
    if view.read_only:
        return Done("Examined.", b"READ-ONLY")
    return Done("Selected.", b"READ-WRITE")


def _view(
    session: Session, txn: ReadTxn, found: Found, request: Request, *, read_only: bool
) -> tuple[Selected, list[bytes]]:
    """The folder as this session will see it, and what is told of it."""
    view = Selected(
        txn,
        mailbox=found.mailbox,
        fid=found.fid,
        name=request.name,
        read_only=read_only or not found.rights & _WRITES,
        origin=session.actor.session,
    )
    if request.condstore:
        session.enable(Feature.CONDSTORE)
    lines = _facts(session, txn, found, view)
    if request.resync is not None and request.resync.uidvalidity == view.uidvalidity:
        lines += _resynchronise(session, txn, view, request.resync)
    return view, lines


def _facts(session: Session, txn: ReadTxn, found: Found, view: Selected) -> list[bytes]:
    uids = UidView(txn, view.mailbox, view.fid)
    lines = [flags_line(view), b"* OK [PERMANENTFLAGS (%s)] Flags.\r\n" % _permanent(found, view)]
    lines.append(b"* %d EXISTS\r\n" % uids.count)
    if not session.rev2:
        claim(session, view, txn)
        lines.append(b"* %d RECENT\r\n" % view.recent_in(txn))
        unseen = _first_unseen(txn, view, uids, found.folder.unread)
        if unseen:
            lines.append(b"* OK [UNSEEN %d] First unseen.\r\n" % unseen)
    lines.append(b"* OK [UIDVALIDITY %d] UIDs valid.\r\n" % view.uidvalidity)
    lines.append(b"* OK [UIDNEXT %d] Predicted next UID.\r\n" % found.folder.uidnext)
    lines.append(b"* OK [HIGHESTMODSEQ %d] Highest.\r\n" % found.folder.contents_mod)
    lines.append(b"* OK [MAILBOXID (%s)] Ok.\r\n" % objectids.mailbox_id(view.mailbox, view.fid))
    if session.rev2:  # RFC 9051 6.3.2: the mailbox's attributes and name
        lines.append(b'* LIST () "/" %s\r\n' % mailbox(view.name, utf8=True))
    return lines


def _permanent(found: Found, view: Selected) -> bytes:
    """The flags that this session can change for good (RFC 9051 7.1, by the rights of RFC 4314 4)."""
    if view.read_only:
        return b""
    names: list[bytes] = []
    rights = found.rights
    if rights & (Right.EDIT_ANY | Right.FOLDER_OWNER):
        names = [name for name in flags.SYSTEM if name != b"\\Deleted"]
    else:
        names = [b"\\Seen"]
    if rights & (Right.DELETE_ANY | Right.FOLDER_OWNER):
        names.append(b"\\Deleted")
    if rights & (Right.EDIT_ANY | Right.FOLDER_OWNER):
        names += [*flags.COMMON_KEYWORDS, b"\\*"]
    return b" ".join(names)


def _first_unseen(txn: ReadTxn, view: Selected, uids: UidView, unread: int) -> int:
    """The sequence number of the first unseen message, or 0: there is none, or it lies too far back."""
    if not unread or not uids.count:
        return 0
    first = uids.uid_at(max(1, uids.count - MAX_LOOKED_AT + 1))
    for number, (_, mid) in enumerate(reversed(uids.range(first, view.ceiling))):
        row = contents.find(txn, view.mailbox, view.fid, mid)
        if row is not None and not row.flags & RowFlag.SEEN:
            unread -= 1
            if not unread:
                return uids.count - number
    return 0


def _resynchronise(session: Session, txn: ReadTxn, view: Selected, resync: Resync) -> list[bytes]:
    """VANISHED and FETCH for what changed since the client's mod-sequence (RFC 7162 3.2.5.1)."""
    uids = UidView(txn, view.mailbox, view.fid)
    last = folders.get(txn, view.mailbox, view.fid).uidnext - 1
    within = (resync.known if resync.known is not None else all_uids()).clip(1, last)
    searched = within
    if resync.match is not None:
        searched = within.clip(known_by_match(uids, *resync.match) + 1, last)
    lines = []
    gone = vanished_since(txn, view.mailbox, view.fid, resync.modseq, searched)
    if gone:
        lines.append(b"* VANISHED (EARLIER) %s\r\n" % sequence.render(gone.pairs))
    changed = changed_since(txn, view.mailbox, view.fid, resync.modseq, within)
    for row in rows_of(txn, view.mailbox, view.fid, changed):
        text = flags.text(row.flags & flags.SHOWN, row.keywords, view.is_recent(row.uid))
        items = [b"UID %d" % row.uid, b"FLAGS (%s)" % text, b"MODSEQ (%d)" % row.mod]
        lines.append(b"* %d FETCH %s\r\n" % (uids.rank(row.uid) + 1, parens(items)))
    return lines


async def select(session: Session, request: Request) -> Done:
    """Open for reading and writing, as far as the rights go."""
    return await _open(session, request, read_only=False)


async def examine(session: Session, request: Request) -> Done:
    """Open for reading."""
    return await _open(session, request, read_only=True)


SELECT = Command(b"SELECT", LOGGED_ON, parse, select, Announce.NOTHING)
EXAMINE = Command(b"EXAMINE", LOGGED_ON, parse, examine, Announce.NOTHING)
