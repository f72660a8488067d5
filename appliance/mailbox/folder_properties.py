"""Changes of a folder's properties (MS-OXCFOLD 2.2.2.2.2): name, class, whether it is hidden, the rest.

What clients cannot set is told, and does not keep the others from being set. Properties of folders are small:
what is larger than MAX_VALUE is refused.
"""

from collections.abc import Iterable, Sequence

from appliance.formats import bags
from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import refusing
from appliance.mailbox.properties.folders import READ_ONLY
from appliance.mailbox.rights import require
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.types import Value
from appliance.store import folders
from appliance.store.folders import Folder, FolderFlag
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import changing
from appliance.store.permissions import Right

MAX_VALUE = 32 << 10
MAX_BAG = 128 << 10
"""Bytes of one property of a folder, and of all together."""

MAX_CLASS = 255


def set_properties(
    txn: WriteTxn, actor: Actor, mailbox: int, fid: int, values: Sequence[tuple[int, Value]], *, now: int
) -> dict[int, int]:
    """Set properties; the codes of those that could not be. Needs FOLDER_OWNER."""
    with refusing():
        require(txn, actor, mailbox, fid, Right.FOLDER_OWNER)
        refusals: dict[int, int] = {}
        folder = folders.get(txn, mailbox, fid)
        name, bag, changed = folder.name, folder.bag(), False
        for tag, value in values:
            code = _code(txn, mailbox, folder, tag, value)
            if code:
                refusals[tag] = code
            elif tag == tags.PidTagDisplayName:
                name, changed = str(value), True
            else:
                _put(folder, bag, tag, value)
                changed = True
        if not changed:
            return refusals
        with changing(txn, mailbox) as clock:
            folder.packed_bag = bags.pack(bag) if bag else b""
            if len(folder.packed_bag) > MAX_BAG:
                return {tag: ec.ecPropSize for tag, _ in values}
            if name != folder.name:
                folders.put(txn, mailbox, folder)
                folders.move(
                    txn, clock, fid, folder.parent, name, now=now, actor=actor.user, origin=actor.session
                )
            else:
                folders.changed(txn, clock, folder, now=now, actor=actor.user, origin=actor.session)
        return refusals


def _code(txn: ReadTxn, mailbox: int, folder: Folder, tag: int, value: Value) -> int:
    """Why a property cannot be set, or 0."""
    if tag in READ_ONLY or tag == folders.PID_TAG_SATCHEL_FORMER_PARENT:
        return ec.ecComputed
    if isinstance(value, bytes | str) and len(value) > MAX_VALUE:
        return ec.ecPropSize
    if tag == tags.PidTagDisplayName:
        text = value if isinstance(value, str) else ""
        if not text or len(text) > folders.MAX_NAME or "\0" in text:
            return ec.ecInvalidParam
        if text == folder.name:
            return 0
        if folder.flags & FolderFlag.SPECIAL:
            return ec.ecAccessDenied
        taken = folders.lookup(txn, mailbox, folder.parent, text)
        return ec.ecDuplicateName if taken not in (None, folder.fid) else 0
    if tag == tags.PidTagContainerClass and (not isinstance(value, str) or len(value) > MAX_CLASS):
        return ec.ecInvalidParam
    return 0


def _put(folder: Folder, bag: dict[int, Value], tag: int, value: Value) -> None:
    if tag == tags.PidTagContainerClass:
        folder.container_class = str(value)
    elif tag == tags.PidTagAttributeHidden:
        folder.flags = folder.flags | FolderFlag.HIDDEN if value else folder.flags & ~FolderFlag.HIDDEN
    else:
        bag[tag] = value


def delete_properties(
    txn: WriteTxn, actor: Actor, mailbox: int, fid: int, gone: Iterable[int], *, now: int
) -> dict[int, int]:
    """Take properties away; the codes of those that stay. Needs FOLDER_OWNER."""
    with refusing():
        require(txn, actor, mailbox, fid, Right.FOLDER_OWNER)
        refusals: dict[int, int] = {}
        folder = folders.get(txn, mailbox, fid)
        bag, before = folder.bag(), (folder.container_class, folder.flags, folder.packed_bag)
        for tag in gone:
            if tag == tags.PidTagDisplayName or tag in READ_ONLY:
                refusals[tag] = ec.ecComputed
            elif tag == tags.PidTagContainerClass:
                folder.container_class = ""
            elif tag == tags.PidTagAttributeHidden:
                folder.flags &= ~FolderFlag.HIDDEN
            else:
                bag.pop(tag, None)
        folder.packed_bag = bags.pack(bag) if bag else b""
        if before != (folder.container_class, folder.flags, folder.packed_bag):
            with changing(txn, mailbox) as clock:
                folders.changed(txn, clock, folder, now=now, actor=actor.user, origin=actor.session)
        return refusals
