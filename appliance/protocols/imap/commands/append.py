"""APPEND (RFC 9051 6.3.12), several messages at once (RFC 3502), UTF8 (RFC 6855 4); REPLACE (RFC 8508)."""

from dataclasses import dataclass

from appliance.mailbox import items, quotas
from appliance.mailbox.errors import Refused
from appliance.mailbox.rights import require as require_right
from appliance.protocols.imap import flags, sequence
from appliance.protocols.imap.errors import Bad, No, missing_target
from appliance.protocols.imap.limits import MAX_APPEND_MESSAGES
from appliance.protocols.imap.namespaces import Found, find
from appliance.protocols.imap.reader import Piece, Streamed
from appliance.protocols.imap.sequence import SequenceSet
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import LOGGED_ON, Announce, Command, Done, State, Upload
from appliance.protocols.imap.tokens import Cursor
from appliance.store import mailboxes
from appliance.store.contents import RowFlag
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.permissions import Right


@dataclass(frozen=True, slots=True)
class Message:
    """What is said about one message. `received` 0: now."""

    bits: int
    keywords: tuple[str, ...]
    received: int


@dataclass(frozen=True, slots=True)
class Append:
    """A target and its messages, whose octets are in the session's upload, in the same order."""

    name: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Replace:
    """The message to replace, and the new one."""

    old: SequenceSet
    uid: bool
    append: Append


def _message(cursor: Cursor) -> Message:
    """[SP flag-list] [SP date-time] SP literal."""
    bits, received = 0, 0
    keywords: tuple[str, ...] = ()
    cursor.space()
    if cursor.peek() == b"(":
        bits, keywords = flags.split(cursor.flag_list())
        cursor.space()
    if cursor.peek() == b'"':
        received = cursor.date_time()
        cursor.space()
    if cursor.accept(b"UTF8 ("):
        if not cursor.utf8:
            raise Bad("UTF8=ACCEPT is not enabled.")  # RFC 6855 4
        literal = cursor.literal()
        cursor.require(b")")
    else:
        literal = cursor.literal()
    if not isinstance(literal, Streamed):
        raise Bad("Expected a message.")
    return Message(bits, keywords, received)


def parse_append(cursor: Cursor) -> Append:
    """mailbox 1*append-message."""
    cursor.space()
    name = cursor.mailbox()
    messages = [_message(cursor)]
    while not cursor.at_end:
        messages.append(_message(cursor))
        if len(messages) > MAX_APPEND_MESSAGES:
            raise Bad("Too many messages.")
    cursor.end()
    return Append(name, tuple(messages))


def parse_replace(cursor: Cursor, *, uid: bool) -> Replace:
    """(seq-number / uniqueid) SP mailbox append-message."""
    cursor.space()
    old = cursor.sequence_set(saved=False)
    cursor.space()
    name = cursor.mailbox()
    message = _message(cursor)
    cursor.end()
    return Replace(old, uid, Append(name, (message,)))


@dataclass(frozen=True, slots=True)
class _Begun:
    """APPEND or REPLACE read as far as the mailbox, at which the cursor stands."""

    cursor: Cursor
    old: SequenceSet | None
    uid: bool


def _begin(pieces: tuple[Piece, ...], utf8: bool) -> _Begun:
    cursor = Cursor(pieces, utf8=utf8)
    cursor.tag()
    cursor.space()
    word = cursor.word()
    uid = word == b"UID"
    if uid:
        cursor.space()
        word = cursor.word()
    cursor.space()
    old = None
    if word == b"REPLACE":
        old = cursor.sequence_set(saved=False)
        cursor.space()
    return _Begun(cursor, old, uid)


def is_message(pieces: tuple[Piece, ...]) -> bool:
    """Whether the literal after `pieces` is a message: it is not when the mailbox name is still to come."""
    try:
        return not _begin(pieces, utf8=True).cursor.at_end
    except Bad:
        return False


async def open_upload(session: Session, pieces: tuple[Piece, ...], size: int) -> None:
    """Check target, rights and room before the octets are asked for (RFC 9051 6.3.12)."""
    begun = _begin(pieces, session.utf8)
    name = begun.cursor.mailbox()
    if size == 0:
        raise No("An empty message cannot be stored.")  # RFC 3502 6.3.11: it cancels the whole APPEND
    if len(session.upload.done) >= MAX_APPEND_MESSAGES:
        raise Bad("Too many messages.", b"LIMIT")
    upload = session.upload
    with session.services.store.read() as txn:
        upload.target = _target(session, txn, name, size + sum(each.size for each in upload.done))
        upload.name = name
        if begun.old is not None:
            _old_uid(session, txn, begun.old, uid=begun.uid)


def _target(session: Session, txn: ReadTxn, name: str, size: int) -> Found:
    found = find(session, txn, name)
    if found is None:
        raise No("No such mailbox.", b"TRYCREATE")
    require_right(txn, session.actor, found.mailbox, found.fid, Right.CREATE)
    quotas.require_room(mailboxes.get(txn, found.mailbox), found.folder, size)
    return found


def _old_uid(session: Session, txn: ReadTxn, old: SequenceSet, *, uid: bool) -> int:
    view = session.writable()
    snapshot = view.at(txn)
    wanted = snapshot.resolve(old, uid=uid)
    if wanted.count != 1:
        raise Bad("REPLACE takes one message.")  # RFC 8508 3.1
    number = wanted.pairs[0][0]
    if snapshot.uids.mid(number) is None:
        raise No("The message is gone.", b"EXPUNGEISSUED" if not uid else b"")
    return number


async def append(session: Session, request: Append) -> Done:
    """Store the messages, all or none."""
    incoming = tuple(session.upload.done)
    if len(incoming) != len(request.messages):
        raise Bad("Expected a message.")
    services, actor, now = session.services, session.actor, session.services.now()
    target = session.upload.target
    if target is None or session.upload.name != request.name:
        with services.store.read() as txn:
            target = _target(session, txn, request.name, sum(each.size for each in incoming))
    mailbox, fid = target.mailbox, target.fid

    def write(txn: WriteTxn) -> list[int]:
        return [
            items.append(
                txn,
                actor,
                mailbox,
                fid,
                octets,
                flags=RowFlag(message.bits),
                keywords=message.keywords,
                received=message.received or now,
                now=now,
            ).uid
            for octets, message in zip(incoming, request.messages, strict=True)
        ]

    try:
        uids = await services.write(write, weight=sum(each.weight for each in incoming))
    except Refused as refused:
        raise missing_target(refused) from refused
    code = b"APPENDUID %d %s" % (target.folder.uidvalidity, sequence.compress(uids))
    return Done("Append completed.", code)


async def replace(session: Session, request: Replace) -> Done:
    """Store the message and remove the old one, as one change."""
    if len(session.upload.done) != 1:
        raise Bad("Expected a message.")
    incoming, message = session.upload.done[0], request.append.messages[0]
    services, actor, now = session.services, session.actor, session.services.now()
    view = session.writable()
    with services.store.read() as txn:
        target = _target(session, txn, request.append.name, incoming.size)
        old = _old_uid(session, txn, request.old, uid=request.uid)

    def write(txn: WriteTxn) -> int:
        return items.replace(
            txn,
            actor,
            view.mailbox,
            view.fid,
            old,
            target.mailbox,
            target.fid,
            incoming,
            flags=RowFlag(message.bits),
            keywords=message.keywords,
            received=message.received or now,
            now=now,
        ).uid

    uid = await services.write(write, weight=incoming.weight)
    # RFC 8508 3.3: APPENDUID comes untagged, before the old message is told to be gone
    session.ok(b"APPENDUID %d %d" % (target.folder.uidvalidity, uid), "Replacement is stored.")
    return Done("Replaced.")


_UPLOAD = Upload(is_message, open_upload)
APPEND = Command(b"APPEND", LOGGED_ON, parse_append, append, upload=_UPLOAD)
REPLACE = Command(
    b"REPLACE", State.SELECTED, lambda cursor: parse_replace(cursor, uid=False), replace, upload=_UPLOAD
)
UID_REPLACE = Command(
    b"UID REPLACE",
    State.SELECTED,
    lambda cursor: parse_replace(cursor, uid=True),
    replace,
    Announce.ALL,
    _UPLOAD,
)
