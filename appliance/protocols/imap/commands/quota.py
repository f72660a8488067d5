"""GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208). One quota root a mailbox: "" is the session's own."""

from appliance.directory import entries
from appliance.mailbox import quotas
from appliance.protocols.imap.errors import No
from appliance.protocols.imap.namespaces import require
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import LOGGED_ON, Command, Done
from appliance.protocols.imap.tokens import Cursor
from appliance.protocols.imap.wire import astring, mailbox
from appliance.store.kv import ReadTxn
from appliance.store.permissions import Right

UNIT = 1024
"""Octets of one unit of STORAGE (RFC 9208 5.1)."""


def parse_root(cursor: Cursor) -> bytes:
    """astring."""
    cursor.space()
    root = cursor.astring()
    cursor.end()
    return root


def parse_mailbox(cursor: Cursor) -> str:
    """mailbox."""
    cursor.space()
    name = cursor.mailbox()
    cursor.end()
    return name


def parse_set(cursor: Cursor) -> bytes:
    """astring SP setquota-list."""
    cursor.space()
    root = cursor.astring()
    cursor.space()

    def limit() -> None:
        cursor.word("a resource")
        cursor.space()
        cursor.number64()

    cursor.items(limit)
    cursor.end()
    return root


def _root_of(session: Session, txn: ReadTxn, number: int) -> bytes:
    owner = entries.by_mailbox(txn, number)
    return b"" if number == session.home or owner is None else owner.address.encode()


def _quota(session: Session, txn: ReadTxn, number: int) -> bytes:
    usage = quotas.usage(txn, number)
    resources = b""
    if usage.receive:
        used, limit = -(-usage.size // UNIT), usage.receive // UNIT
        resources = b"STORAGE %d %d" % (used, limit)
    return b"QUOTA %s (%s)" % (_quoted(_root_of(session, txn, number)), resources)


def _quoted(root: bytes) -> bytes:
    return astring(root) if root else b'""'


async def get_quota(session: Session, root: bytes) -> Done:
    """Tell use and limit of a root."""
    with session.services.store.read() as txn:
        number = session.home
        if root:
            owner = entries.by_address(txn, root.decode("utf-8", "replace"))
            if (
                owner is None
                or not owner.mailbox
                or owner.mailbox not in (session.home, session.actor.mailbox)
            ):
                raise No("No such quota root.", b"NONEXISTENT")
            number = owner.mailbox
        session.write(_quota(session, txn, number))
    return Done("Getquota completed.")


async def get_quota_root(session: Session, name: str) -> Done:
    """Tell the root of a mailbox, and its use and limit."""
    with session.services.store.read() as txn:
        found = require(session, txn, name)
        if not found.rights & (Right.READ_ANY | Right.CREATE | Right.FOLDER_OWNER):
            raise No("Permission denied.", b"NOPERM")
        root = _quoted(_root_of(session, txn, found.mailbox))
        session.write(
            b"QUOTAROOT %s %s" % (mailbox(name, utf8=session.utf8), root),
            _quota(session, txn, found.mailbox),
        )
    return Done("Getquotaroot completed.")


async def set_quota(session: Session, root: bytes) -> Done:
    """Quotas are the administrator's."""
    raise No("Only the administrator sets quotas.", b"NOPERM")


GETQUOTA = Command(b"GETQUOTA", LOGGED_ON, parse_root, get_quota)
GETQUOTAROOT = Command(b"GETQUOTAROOT", LOGGED_ON, parse_mailbox, get_quota_root)
SETQUOTA = Command(b"SETQUOTA", LOGGED_ON, parse_set, set_quota)
