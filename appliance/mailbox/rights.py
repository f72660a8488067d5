"""Who may do what in a folder (MS-OXCPERM). Every operation of `mailbox/` asks here.

The owner of a mailbox and the server itself have every right, as who manages the public folders has in those.
Others have the rights of their own row; without one, the union of their groups' rows; without any, those of
the default row; else none.
"""

from appliance.directory import entries, resolve
from appliance.directory.model import Right as ServerRight
from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import Reason, Refused
from appliance.store import folders, mailboxes, permissions
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.permissions import ALL, ANONYMOUS, DEFAULT, Right

FREE_BUSY = Right.FREE_BUSY_SIMPLE | Right.FREE_BUSY_DETAILED
EVERYTHING = ALL | FREE_BUSY

_WRITE = Right.CREATE | Right.EDIT_OWNED | Right.DELETE_OWNED
_EDIT = _WRITE | Right.EDIT_ANY | Right.DELETE_ANY

ROLES: dict[str, Right] = {
    "owner": ALL,
    "publishing-editor": Right.READ_ANY | _EDIT | Right.CREATE_SUBFOLDER | Right.FOLDER_VISIBLE,
    "editor": Right.READ_ANY | _EDIT | Right.FOLDER_VISIBLE,
    "publishing-author": Right.READ_ANY | _WRITE | Right.CREATE_SUBFOLDER | Right.FOLDER_VISIBLE,
    "author": Right.READ_ANY | _WRITE | Right.FOLDER_VISIBLE,
    "nonediting-author": Right.READ_ANY | Right.CREATE | Right.DELETE_OWNED | Right.FOLDER_VISIBLE,
    "reviewer": Right.READ_ANY | Right.FOLDER_VISIBLE,
    "contributor": Right.CREATE | Right.FOLDER_VISIBLE,
    "free-busy-time": Right.FREE_BUSY_SIMPLE,
    "free-busy-details": Right.FREE_BUSY_SIMPLE | Right.FREE_BUSY_DETAILED,
    "none": Right.NONE,
}
"""Role names as the command line takes them."""


_MANAGERS = ServerRight.PUBLIC_FOLDER_MANAGEMENT | ServerRight.ORGANIZATION_MANAGEMENT


def has_all(txn: ReadTxn, actor: Actor, mailbox: int) -> bool:
    """Whether no folder's rows matter: to the owner, to the server itself, and to who manages the public
    folders there."""
    if actor.admin or actor.mailbox == mailbox:
        return True
    if not actor.user or mailboxes.identity(txn, mailbox).kind is not mailboxes.Kind.PUBLIC:
        return False
    entry = entries.find(txn, actor.user)
    return entry is not None and bool(entry.rights & _MANAGERS)


def effective(txn: ReadTxn, actor: Actor, mailbox: int, fid: int) -> Right:
    """What `actor` may do in a folder."""
    if has_all(txn, actor, mailbox):
        return EVERYTHING
    rows = permissions.members(txn, mailbox, fid)
    if not rows:
        return Right.NONE
    if actor.user == 0:
        return rows.get(ANONYMOUS, Right.NONE)
    own = rows.get(actor.user)
    if own is not None:
        return own
    union, found = Right.NONE, False
    for group in resolve.group_ids(txn, actor.user) & rows.keys():
        union, found = union | rows[group], True
    return union if found else rows.get(DEFAULT, Right.NONE)


def require(txn: ReadTxn, actor: Actor, mailbox: int, fid: int, right: Right) -> Right:
    """Refuse with ACCESS_DENIED unless the actor has every one of `right` (FOLDER_OWNER implies all); with
    NOT_FOUND when even the folder's existence is none of the actor's business."""
    if has_all(txn, actor, mailbox):
        return EVERYTHING
    have = effective(txn, actor, mailbox, fid)
    if right & ~have and not have & Right.FOLDER_OWNER:
        if not have & (Right.FOLDER_VISIBLE | Right.READ_ANY):
            raise Refused(Reason.NOT_FOUND)
        raise Refused(Reason.ACCESS_DENIED)
    return have


def calendar_default(right: Right) -> Right:
    """The free/busy rights of an entry of a calendar, anonymous apart, until somebody says otherwise
    (MS-OXCPERM <5>): everybody sees when, who reads sees what."""
    return FREE_BUSY if right & Right.READ_ANY else Right.FREE_BUSY_SIMPLE


def calendar_change(before: dict[int, Right], member: int, right: Right) -> Right:
    """What an entry of a calendar becomes when a client that does not know free/busy rights gives it
    `right`: what stood at the default stays there, what somebody chose stays chosen."""
    if member == ANONYMOUS:
        return right & ~FREE_BUSY
    old = before.get(member)
    if old is None or old & FREE_BUSY == calendar_default(old):
        return right & ~FREE_BUSY | calendar_default(right)
    return right & ~FREE_BUSY | old & FREE_BUSY


def parse(text: str) -> Right:
    """RIGHTS of the command line: a role's name, or single rights joined by commas. Raises Refused."""
    role = ROLES.get(text.strip().lower())
    if role is not None:
        return role
    rights = Right.NONE
    for word in text.split(","):
        try:
            rights |= Right[word.strip().upper().replace("-", "_")]
        except KeyError:
            known = ", ".join([*ROLES, *(r.name.lower().replace("_", "-") for r in Right if r.name)])
            raise Refused(Reason.INVALID, f"{word!r} is not one of: {known}") from None
    return rights


def describe(rights: Right) -> str:
    """The role with these rights, or the single rights joined by commas."""
    for name, role in ROLES.items():
        if role == rights:
            return name
    return ",".join(r.name.lower().replace("_", "-") for r in Right if r.name and r in rights)


def listing(txn: ReadTxn, actor: Actor, mailbox: int, fid: int) -> dict[int, Right]:
    """The rows of a folder. Needs FOLDER_OWNER."""
    require(txn, actor, mailbox, fid, Right.FOLDER_OWNER)
    return permissions.members(txn, mailbox, fid)


def grant(txn: WriteTxn, actor: Actor, mailbox: int, fid: int, member: int, rights: Right) -> None:
    """Set a member's rights. Needs FOLDER_OWNER."""
    require(txn, actor, mailbox, fid, Right.FOLDER_OWNER)
    folders.get(txn, mailbox, fid)
    permissions.put(txn, mailbox, fid, member, rights)
    txn.touch(mailbox)


def revoke(txn: WriteTxn, actor: Actor, mailbox: int, fid: int, member: int) -> None:
    """Take a member's row away. Needs FOLDER_OWNER. Raises Refused NOT_FOUND when there is none."""
    require(txn, actor, mailbox, fid, Right.FOLDER_OWNER)
    if not permissions.delete(txn, mailbox, fid, member):
        raise Refused(Reason.NOT_FOUND)
    txn.touch(mailbox)
