"""Which property groups a change of a message touches, as the bits of its record in the log."""

from collections.abc import Collection

from appliance.mapi.groups import Group, group_of
from appliance.store import names
from appliance.store.kv import ReadTxn
from appliance.store.log import Mask

MASKS = {
    Group.NOTES: Mask.NOTES,
    Group.SUBJECT: Mask.SUBJECT,
    Group.BODY: Mask.BODY,
    Group.PEOPLE: Mask.RECIPIENTS,
    Group.ATTACHMENTS: Mask.ATTACHMENTS,
    Group.REST: Mask.CONTENT,
}
"""The bit of each group."""


def mask_of(txn: ReadTxn, touched: Collection[int], left: Collection[int]) -> Mask:
    """The bits of the groups of properties that were `touched`, of which those not among `left` are there
    no longer."""
    mask = Mask.NONE
    for tag in touched:
        group = group_of(tag, names.name_of(txn, tag >> 16) if tag >= names.FIRST << 16 else None)
        mask |= MASKS[group]
        if group is Group.REST and tag not in left:
            mask |= Mask.REMOVED
    return mask
