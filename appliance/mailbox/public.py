"""The public store: one mailbox that belongs to the organization, made with its first folder.

Whoever logged on may read a public folder and add to it (Exchange's default, Author) until its permissions
say otherwise, and read the folders beside them that clients need; strangers may do nothing. A folder that is
mail-enabled has an entry in the directory; mail to its address is delivered into it.
"""

from appliance.directory import entries
from appliance.directory.model import Entry, Kind
from appliance.mailbox import folders
from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import Reason, Refused, refusing
from appliance.mailbox.rights import ROLES
from appliance.store import folders as rows
from appliance.store import mailboxes, permissions, tree
from appliance.store.folders import Folder, FolderFlag
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import PublicSpecial, changing


def find(txn: ReadTxn) -> int | None:
    """The public store's number, or None before its first folder."""
    for identity in mailboxes.identities(txn):
        if identity.kind == mailboxes.Kind.PUBLIC:
            return identity.number
    return None


def create_store(txn: WriteTxn, *, guids: tuple[bytes, bytes], uidvalidity: int, now: int) -> int:
    """Make the public store, which must not exist yet; its number. `guids` (mailbox, replica): 16 random
    bytes each."""
    mailbox = tree.create_mailbox(
        txn,
        owner=0,
        guid=guids[0],
        replica_guid=guids[1],
        uidvalidity=uidvalidity,
        now=now,
        kind=mailboxes.Kind.PUBLIC,
    )
    for special in PublicSpecial:
        role = "author" if special is PublicSpecial.IPM_SUBTREE else "reviewer"
        permissions.put(txn, mailbox, special, permissions.DEFAULT, ROLES[role])
        permissions.put(txn, mailbox, special, permissions.ANONYMOUS, ROLES["none"])
    return mailbox


def create_folder(
    txn: WriteTxn,
    actor: Actor,
    path: folders.Path,
    *,
    guids: tuple[bytes, bytes],
    uidvalidity: int,
    now: int,
) -> Folder:
    """Make a public folder. `guids` (mailbox, replica; 16 random bytes each) and `uidvalidity` are used when
    the public store does not exist yet. Raises Refused."""
    with refusing():
        mailbox = find(txn)
        if mailbox is None:
            mailbox = create_store(txn, guids=guids, uidvalidity=uidvalidity, now=now)
        return folders.create(txn, actor, mailbox, path, now=now)


def mail_enable(
    txn: WriteTxn, actor: Actor, path: folders.Path, address: str, *, guid: bytes, now: int
) -> Entry:
    """Give a public folder an address. Raises Refused, and the directory's errors for the address."""
    with refusing():
        mailbox = find(txn)
        if mailbox is None:
            raise Refused(Reason.NOT_FOUND)
        folder = folders.require_path(txn, actor, mailbox, path)
        if any(entry.folder == folder.fid for entry in entries.list_entries(txn, Kind.PUBLIC_FOLDER)):
            raise Refused(Reason.EXISTS, "the folder has an address")
        with changing(txn, mailbox) as clock:
            folder.flags |= FolderFlag.MAIL_ENABLED
            rows.changed(txn, clock, folder, now=now, actor=actor.user, origin=actor.session)
        entry = Entry(
            id=0,
            kind=Kind.PUBLIC_FOLDER,
            address=address,
            display_name=folder.name,
            legacy_dn="",
            object_guid=guid,
            mailbox=mailbox,
            folder=folder.fid,
            created=now,
            changed=now,
        )
        return entries.add(txn, entry)


def mail_disable(txn: WriteTxn, fid: int) -> None:
    """Take a folder's address away, if it has one."""
    for entry in list(entries.list_entries(txn, Kind.PUBLIC_FOLDER)):
        if entry.folder == fid:
            entries.remove(txn, entry.id)
