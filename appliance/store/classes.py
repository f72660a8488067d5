"""Message classes as small numbers, so that a hot row carries two bytes instead of a name.

The numbers of COMMON are part of the store's format; other classes get one when they first appear, up to
MAX_CLASSES for the server (what comes after keeps its name in the bag alone and shows as class OTHER).
"""

from appliance.store.keys import SERVER, Table, head, pack, successor
from appliance.store.kv import ReadTxn, WriteTxn

COMMON = (
    "",
    "IPM.Note",
    "IPM.Appointment",
    "IPM.Contact",
    "IPM.Task",
    "IPM.StickyNote",
    "IPM.Activity",
    "IPM.DistList",
    "IPM.Post",
    "IPM.Document",
    "IPM.Post.RSS",
    "IPM.Note.SMIME",
    "IPM.Note.SMIME.MultipartSigned",
    "IPM.Schedule.Meeting.Request",
    "IPM.Schedule.Meeting.Canceled",
    "IPM.Schedule.Meeting.Resp.Pos",
    "IPM.Schedule.Meeting.Resp.Neg",
    "IPM.Schedule.Meeting.Resp.Tent",
    "REPORT.IPM.Note.NDR",
    "REPORT.IPM.Note.DR",
    "REPORT.IPM.Note.Delayed",
    "REPORT.IPM.Note.IPNRN",
    "REPORT.IPM.Note.IPNNRN",
    "IPM.TaskRequest",
    "IPM.Note.Rules.OofTemplate.Microsoft",
    "IPM.Configuration",
)
"""Index: the number. The first stands for a class that is not known."""

OTHER = 0
FIRST_DYNAMIC = 256
MAX_CLASSES = 4096
_NUMBERS = {name.upper(): number for number, name in enumerate(COMMON)}


def number(txn: WriteTxn, name: str) -> int:
    """The number of a class, which it gets now if it is new. Classes are compared case-insensitively."""
    folded = name.upper()
    common = _NUMBERS.get(folded)
    if common is not None:
        return common
    key = pack(SERVER, Table.CLASS_IDS, folded)
    raw = txn.get(key)
    if raw is not None:
        return int.from_bytes(raw, "big")
    prefix = head(SERVER, Table.CLASSES)
    last = txn.last(prefix, successor(prefix))
    new = int.from_bytes(last[0][5:13], "big") + 1 if last else FIRST_DYNAMIC
    if new >= FIRST_DYNAMIC + MAX_CLASSES:
        return OTHER
    txn.put(key, new.to_bytes(4, "big"))
    txn.put(pack(SERVER, Table.CLASSES, new), name.encode())
    return new


def name(txn: ReadTxn, number: int) -> str:
    """The class with this number; empty for OTHER."""
    if number < FIRST_DYNAMIC:
        return COMMON[number] if number < len(COMMON) else ""
    raw = txn.get(pack(SERVER, Table.CLASSES, number))
    return raw.decode() if raw is not None else ""
