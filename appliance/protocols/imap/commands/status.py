"""STATUS (RFC 9051 6.3.11, RFC 8438 SIZE, RFC 7162 HIGHESTMODSEQ, RFC 7889 APPENDLIMIT, RFC 8474)."""

from dataclasses import dataclass

from appliance.protocols.imap.errors import No
from appliance.protocols.imap.namespaces import Found, require
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.status_items import SIZES, parse_items, status_line
from appliance.protocols.imap.table import LOGGED_ON, Command, Done
from appliance.protocols.imap.tokens import Cursor
from appliance.store import messages
from appliance.store.kv import ReadTxn
from appliance.store.permissions import Right

_SCANNING = {b"DELETED", b"DELETED-STORAGE"}


@dataclass(frozen=True, slots=True)
class Request:
    """A mailbox and what to tell about it."""

    name: str
    items: tuple[bytes, ...]


def parse(cursor: Cursor) -> Request:
    """mailbox SP "(" items ")"."""
    cursor.space()
    name = cursor.mailbox()
    cursor.space()
    items = parse_items(cursor)
    cursor.end()
    return Request(name, items)


async def run(session: Session, request: Request) -> Done:
    """Tell the counts, without selecting."""

    def readable(txn: ReadTxn) -> Found:
        found = require(session, txn, request.name)
        if not found.rights & (Right.READ_ANY | Right.FOLDER_OWNER):
            raise No("You may not read this mailbox.", b"NOPERM")
        return found

    def read(txn: ReadTxn) -> bytes:
        found = readable(txn)
        return status_line(session, txn, request.name, found, request.items)

    if b"HIGHESTMODSEQ" in request.items:
        session.enable_condstore()
    if SIZES.intersection(request.items):
        with session.services.store.read() as txn:
            found = readable(txn)
            pending = messages.unrendered(txn, found.mailbox, found.fid, 1)
        if pending:
            await session.services.render(found.mailbox, found.fid)
    if _SCANNING.intersection(request.items):
        line = await session.services.read(read)
    else:
        with session.services.store.read() as txn:
            line = read(txn)
    session.write(line)
    return Done("Status completed.")


COMMAND = Command(b"STATUS", LOGGED_ON, parse, run)
