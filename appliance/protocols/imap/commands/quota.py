"""GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208).

Each mailbox is a quota root: "" is the session's own, others have their owner's address. A folder that has a
quota of its own is one more root, by its name."""

from appliance.directory import entries
from appliance.mailbox import quotas
from appliance.protocols.imap import names
from appliance.protocols.imap.errors import No
from appliance.protocols.imap.namespaces import find, require
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


def _quota(root: bytes, usage: quotas.Usage) -> bytes:
    resources = b""
    if usage.receive:
        used, limit = -(-usage.size // UNIT), usage.receive // UNIT
        resources = b"STORAGE %d %d" % (used, limit)
    return b"QUOTA %s (%s)" % (root, resources)


def _quoted(root: bytes) -> bytes:
    return astring(root) if root else b'""'


async def get_quota(session: Session, root: bytes) -> Done:
    """Tell use and limit of a root."""
    with session.services.store.read() as txn:
        session.write(_of_mailbox(session, txn, root) or _of_folder(session, txn, root))
    return Done("Getquota completed.")


def _of_mailbox(session: Session, txn: ReadTxn, root: bytes) -> bytes | None:
    number = session.home
    if root:
        owner = entries.by_address(txn, root.decode("utf-8", "replace"))
        if owner is None or owner.mailbox not in (session.home, session.actor.mailbox) or not owner.mailbox:
            return None
        number = owner.mailbox
    return _quota(_quoted(_root_of(session, txn, number)), quotas.usage(txn, number))


def _of_folder(session: Session, txn: ReadTxn, root: bytes) -> bytes:
    found = find(session, txn, names.decode(root, session.utf8))
    if found is None or not quotas.folder_limit(found.folder):
        raise No("No such quota root.", b"NONEXISTENT")
    return _quota(_quoted(root), quotas.folder_usage(found.folder))


async def get_quota_root(session: Session, name: str) -> Done:
    """Tell the root of a mailbox, and its use and limit."""
    with session.services.store.read() as txn:
        found = require(session, txn, name)
        if not found.rights & (Right.READ_ANY | Right.CREATE | Right.FOLDER_OWNER):
            raise No("Permission denied.", b"NOPERM")
        named = mailbox(name, utf8=session.utf8)
        roots = {_quoted(_root_of(session, txn, found.mailbox)): quotas.usage(txn, found.mailbox)}
        if quotas.folder_limit(found.folder):
            roots[named] = quotas.folder_usage(found.folder)
        session.write(
            b"QUOTAROOT %s %s" % (named, b" ".join(roots)),
            *(_quota(root, usage) for root, usage in roots.items()),
        )
    return Done("Getquotaroot completed.")


async def set_quota(session: Session, root: bytes) -> Done:
    """Quotas are the administrator's."""
    raise No("Only the administrator sets quotas.", b"NOPERM")


GETQUOTA = Command(b"GETQUOTA", LOGGED_ON, parse_root, get_quota)
GETQUOTAROOT = Command(b"GETQUOTAROOT", LOGGED_ON, parse_mailbox, get_quota_root)
SETQUOTA = Command(b"SETQUOTA", LOGGED_ON, parse_set, set_quota)
