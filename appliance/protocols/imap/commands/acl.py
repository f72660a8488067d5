"""SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS (RFC 4314)."""

from dataclasses import dataclass

from appliance.directory import entries
from appliance.mailbox import rights as mailbox_rights
from appliance.mailbox.errors import Reason, Refused
from appliance.protocols.imap.acl_rights import EVERY, TIED, letters, parse_letters
from appliance.protocols.imap.errors import Bad, No
from appliance.protocols.imap.namespaces import Found, require
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import LOGGED_ON, Command, Done
from appliance.protocols.imap.tokens import Cursor
from appliance.protocols.imap.wire import astring, mailbox
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.permissions import ANONYMOUS, DEFAULT, Right

_SPECIAL = {b"anyone": DEFAULT, b"anonymous": ANONYMOUS}
_SPECIAL_NAMES = {member: name for name, member in _SPECIAL.items()}


@dataclass(frozen=True, slots=True)
class Set:
    """A mailbox, whose rights, and what becomes of them: `how` is b"", b"+" or b"-"."""

    name: str
    identifier: bytes
    how: bytes
    rights: Right


@dataclass(frozen=True, slots=True)
class Whose:
    """A mailbox and an identifier."""

    name: str
    identifier: bytes


def parse_set(cursor: Cursor) -> Set:
    """mailbox SP identifier SP mod-rights."""
    whose = _whose(cursor)
    cursor.space()
    raw = cursor.astring()
    cursor.end()
    how = raw[:1] if raw[:1] in (b"+", b"-") else b""
    return Set(whose.name, whose.identifier, how, parse_letters(raw[len(how) :]))


def _whose(cursor: Cursor) -> Whose:
    cursor.space()
    name = cursor.mailbox()
    cursor.space()
    return Whose(name, cursor.astring())


def parse_whose(cursor: Cursor) -> Whose:
    """mailbox SP identifier."""
    whose = _whose(cursor)
    cursor.end()
    return whose


def parse_name(cursor: Cursor) -> str:
    """mailbox."""
    cursor.space()
    name = cursor.mailbox()
    cursor.end()
    return name


def _member(txn: ReadTxn, identifier: bytes) -> int:
    """The member that an identifier names. Raises No, Bad."""
    special = _SPECIAL.get(identifier.lower())
    if special is not None:
        return special
    if identifier.startswith(b"-"):
        raise No("Negative rights are not supported.", b"CANNOT")  # RFC 4314 2
    try:
        entry = entries.by_account(txn, identifier.decode())
    except UnicodeDecodeError as error:
        raise Bad("The identifier is not UTF-8.") from error
    if entry is None:
        raise No("No such user or group.", b"NONEXISTENT")
    return entry.id


def _is_owner(txn: ReadTxn, found: Found, member: int) -> bool:
    owner = entries.by_mailbox(txn, found.mailbox)
    return owner is not None and owner.id == member


async def set_acl(session: Session, request: Set) -> Done:
    """Give, add or take rights."""
    actor = session.actor

    def write(txn: WriteTxn) -> None:
        found = require(session, txn, request.name)
        member = _member(txn, request.identifier)
        if _is_owner(txn, found, member):
            raise No("The owner has every right.", b"CANNOT")
        have = mailbox_rights.listing(txn, actor, found.mailbox, found.fid).get(member, Right.NONE)
        new = {b"+": have | request.rights, b"-": have & ~request.rights}.get(request.how, request.rights)
        mailbox_rights.grant(txn, actor, found.mailbox, found.fid, member, new)

    await session.services.write(write, reserve=True)
    return Done("Setacl completed.")


async def delete_acl(session: Session, request: Whose) -> Done:
    """Take an identifier off the list; one that is not on it is no error."""
    actor = session.actor

    def write(txn: WriteTxn) -> None:
        found = require(session, txn, request.name)
        member = _member(txn, request.identifier)
        try:
            mailbox_rights.revoke(txn, actor, found.mailbox, found.fid, member)
        except Refused as refused:
            if refused.reason is not Reason.NOT_FOUND:
                raise

    await session.services.write(write, reserve=True)
    return Done("Deleteacl completed.")


async def get_acl(session: Session, name: str) -> Done:
    """Tell who has which rights."""
    with session.services.store.read() as txn:
        found = require(session, txn, name)
        rows = mailbox_rights.listing(txn, session.actor, found.mailbox, found.fid)
        owner = entries.by_mailbox(txn, found.mailbox)
        words = [astring(owner.address.encode()) + b" " + EVERY + b"cd"] if owner is not None else []
        for member, rights in rows.items():
            entry = entries.find(txn, member) if member not in _SPECIAL_NAMES else None
            identifier = entry.address.encode() if entry is not None else _SPECIAL_NAMES.get(member)
            if identifier is not None:
                words.append(astring(identifier) + b" " + (letters(rights) or b'""'))
        session.write(b" ".join([b"ACL", mailbox(name, utf8=session.utf8), *words]))
    return Done("Getacl completed.")


async def list_rights(session: Session, request: Whose) -> Done:
    """Tell which rights an identifier always has, and which can be granted together."""
    with session.services.store.read() as txn:
        found = require(session, txn, request.name)
        mailbox_rights.require(txn, session.actor, found.mailbox, found.fid, Right.FOLDER_OWNER)
        member = _member(txn, request.identifier)
        granted = [EVERY] if _is_owner(txn, found, member) else [b'""', *TIED]
        words = [mailbox(request.name, utf8=session.utf8), astring(request.identifier), *granted]
        session.write(b" ".join([b"LISTRIGHTS", *words]))
    return Done("Listrights completed.")


async def my_rights(session: Session, name: str) -> Done:
    """Tell what this session may do."""
    with session.services.store.read() as txn:
        found = require(session, txn, name)
        words = [mailbox(name, utf8=session.utf8), letters(found.rights) or b'""']
        session.write(b" ".join([b"MYRIGHTS", *words]))
    return Done("Myrights completed.")


SETACL = Command(b"SETACL", LOGGED_ON, parse_set, set_acl)
DELETEACL = Command(b"DELETEACL", LOGGED_ON, parse_whose, delete_acl)
GETACL = Command(b"GETACL", LOGGED_ON, parse_name, get_acl)
LISTRIGHTS = Command(b"LISTRIGHTS", LOGGED_ON, parse_whose, list_rights)
MYRIGHTS = Command(b"MYRIGHTS", LOGGED_ON, parse_name, my_rights)
