"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 6.3.4 to 6.3.8), CREATE-SPECIAL-USE (RFC 6154)."""

from dataclasses import dataclass

from appliance.mailbox import folders as mailbox_folders
from appliance.mailbox import items
from appliance.mailbox.errors import Reason, Refused
from appliance.protocols.imap import names, objectids
from appliance.protocols.imap.errors import Bad, No
from appliance.protocols.imap.namespaces import Location, Space, find, locate, require
from appliance.protocols.imap.progress import Progress
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.special_use import CREATABLE
from appliance.protocols.imap.table import LOGGED_ON, Command, Done
from appliance.protocols.imap.tokens import Cursor
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Special
from appliance.store.uids import UidView


@dataclass(frozen=True, slots=True)
class Create:
    """A new name, and the special use that it is for."""

    name: str
    use: str


@dataclass(frozen=True, slots=True)
class Rename:
    """An old and a new name."""

    old: str
    new: str


def parse_create(cursor: Cursor) -> Create:
    """mailbox [SP "(" "USE" SP "(" use-attrs ")" ")"]."""
    cursor.space()
    name = cursor.mailbox()
    use = ""
    if cursor.accept(b" ("):
        if cursor.word("a parameter") != b"USE":
            raise Bad("Unknown parameter.")
        cursor.space()
        uses = cursor.items(lambda: _use(cursor), limit=10)
        cursor.require(b")")
        if len(uses) > 1:
            raise No("A mailbox has one special use here.", b"USEATTR")
        use = uses[0] if uses else ""
    cursor.end()
    return Create(name, use)


def _use(cursor: Cursor) -> str:
    cursor.require(b"\\")
    name = cursor.atom().decode().capitalize()
    if name not in CREATABLE:
        raise No("That special use is not supported.", b"USEATTR")  # RFC 6154 3
    return name


def parse_name(cursor: Cursor) -> str:
    """mailbox."""
    cursor.space()
    name = cursor.mailbox()
    cursor.end()
    return name


def parse_rename(cursor: Cursor) -> Rename:
    """mailbox SP mailbox."""
    cursor.space()
    old = cursor.mailbox()
    cursor.space()
    new = cursor.mailbox()
    cursor.end()
    return Rename(old, new)


def _place(session: Session, txn: ReadTxn, name: str) -> Location:
    """Where a name that is to be made stands. Raises No [CANNOT] where none can be."""
    location = locate(session, txn, name)
    if not location.mailbox or not location.path:
        raise No("No mailbox can be made there.", b"CANNOT")
    return location


async def create(session: Session, request: Create) -> Done:
    """Make a folder and those above it. A trailing delimiter only says that others will follow below."""
    name = names.check_new(request.name.removesuffix(names.DELIMITER))
    actor, now = session.actor, session.services.now()

    def write(txn: WriteTxn) -> bytes:
        place = _place(session, txn, name)
        if request.use and place.space is not Space.PERSONAL:
            raise No("Special uses are for your own mailboxes.", b"USEATTR")
        made = mailbox_folders.create(txn, actor, place.mailbox, place.path, now=now, special_use=request.use)
        return objectids.mailbox_id(place.mailbox, made.fid)

    made = await session.services.write(write)
    return Done("Created.", b"MAILBOXID (%s)" % made)  # RFC 8474 4.1


async def delete(session: Session, name: str) -> Done:
    """Delete a folder that has none below it."""
    if name == "INBOX":
        raise No("INBOX cannot be deleted.", b"CANNOT")
    actor, now = session.actor, session.services.now()
    with session.services.store.read() as txn:
        found = require(session, txn, name.removesuffix(names.DELIMITER))
        if found.folder.subfolders:
            raise No("The mailbox has others below it.", b"HASCHILDREN")  # RFC 9051 6.3.5
    if session.selected is not None and (session.selected.mailbox, session.selected.fid) == (
        found.mailbox,
        found.fid,
    ):
        session.unselect(closed=True)
    progress = Progress(session, found.folder.total)
    steps = 0

    def write(txn: WriteTxn) -> bool:
        return mailbox_folders.delete(txn, actor, found.mailbox, found.fid, now=now)

    while not await session.services.write(write, reserve=True):
        steps += 1
        progress.tell(steps * mailbox_folders.DELETE_STEP)
    return Done("Deleted.")


async def rename(session: Session, request: Rename) -> Done:
    """Rename a folder with all below it; INBOX keeps its name and gives away its messages."""
    new = names.check_new(request.new.removesuffix(names.DELIMITER))
    if request.old == "INBOX":
        return await _rename_inbox(session, new)
    actor, now = session.actor, session.services.now()
    old = request.old.removesuffix(names.DELIMITER)

    def write(txn: WriteTxn) -> None:
        source, target = locate(session, txn, old), _place(session, txn, new)
        if find(session, txn, old) is None:
            raise No("No such mailbox.", b"NONEXISTENT")
        if source.mailbox != target.mailbox:
            raise No("A mailbox cannot move to another owner.", b"CANNOT")
        if target.path[: len(source.path)] == source.path and len(target.path) > len(source.path):
            raise No("A mailbox cannot move below itself.", b"CANNOT")
        mailbox_folders.rename(txn, actor, source.mailbox, source.path, target.path, now=now)

    await session.services.write(write)
    return Done("Renamed.")


async def _rename_inbox(session: Session, new: str) -> Done:
    """RFC 9051 6.3.6: all messages of INBOX move to the new mailbox, INBOX stays and is empty."""
    actor, now, mailbox = session.actor, session.services.now(), session.home

    def make(txn: WriteTxn) -> tuple[int, int, list[int]]:
        place = _place(session, txn, new)
        made = mailbox_folders.create(txn, actor, place.mailbox, place.path, now=now)
        return place.mailbox, made.fid, list(UidView(txn, mailbox, Special.INBOX).all())

    to_mailbox, to_fid, uids = await session.services.write(make)
    progress = Progress(session, len(uids))
    for start in range(0, len(uids), items.STEP):
        step = uids[start : start + items.STEP]

        def write(txn: WriteTxn, step: list[int] = step) -> None:
            items.move(txn, actor, mailbox, Special.INBOX, step, to_mailbox, to_fid, now=now)

        await session.services.write(write)
        progress.tell(start)
    return Done("Renamed.")


async def subscribe(session: Session, name: str) -> Done:
    """Note a name as subscribed."""
    with session.services.store.read() as txn:
        if find(session, txn, name) is None:
            raise No("No such mailbox.", b"NONEXISTENT")
    await session.services.write(lambda txn: mailbox_folders.subscribe(txn, session.actor, name))
    return Done("Subscribed.")


async def unsubscribe(session: Session, name: str) -> Done:
    """Forget a subscribed name; also one whose mailbox is gone."""

    def write(txn: WriteTxn) -> None:
        if not mailbox_folders.unsubscribe(txn, session.actor, name):
            exists = find(session, txn, name) is not None
            if not exists:
                raise Refused(Reason.NOT_FOUND)

    await session.services.write(write, reserve=True)
    return Done("Unsubscribed.")


CREATE = Command(b"CREATE", LOGGED_ON, parse_create, create)
DELETE = Command(b"DELETE", LOGGED_ON, parse_name, delete)
RENAME = Command(b"RENAME", LOGGED_ON, parse_rename, rename)
SUBSCRIBE = Command(b"SUBSCRIBE", LOGGED_ON, parse_name, subscribe)
UNSUBSCRIBE = Command(b"UNSUBSCRIBE", LOGGED_ON, parse_name, unsubscribe)
