"""What is owed to senders who want to know what becomes of their messages (MS-OXOMSG 2.2.1.29, 3.2.4.4).

A receipt is owed from the same transaction as what it tells: a timer stands for it until
`transport.receipts` has sent it. A message that was deleted unread is gone by then, so its timer carries what
the receipt says of it.
"""

from dataclasses import dataclass

from appliance.convert.mime.envelope import READ_RECEIPT, REPRESENTING, SENDER
from appliance.formats import bags
from appliance.mapi import tags
from appliance.mapi.types import Bag
from appliance.store import messages, timers
from appliance.store.contents import Row, RowFlag
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.timers import Kind

MAX_CARRIED = 64 << 10
"""Bytes that are kept of a deleted message, at most; one that would take more gets no receipt."""

_OWED = int(RowFlag.NOTIFY_READ | RowFlag.NOTIFY_UNREAD)
_GROUP_TAGS = tuple(
    tag
    for group in (READ_RECEIPT, SENDER, REPRESENTING)
    for tag in (group.name, group.kind, group.address, group.smtp, group.entry_id)
)
_KEPT = (
    *_GROUP_TAGS,
    tags.PidTagSubject,
    tags.PidTagNormalizedSubject,
    tags.PidTagClientSubmitTime,
    tags.PidTagMessageDeliveryTime,
    tags.PidTagSearchKey,
    tags.PidTagInternetMessageId,
    tags.PidTagConversationTopic,
    tags.PidTagConversationIndex,
    tags.PidTagReportTag,
)
"""What a receipt says of its message."""


@dataclass(frozen=True, slots=True)
class Original:
    """A message that a receipt is about: its properties, its trace headers, when it was delivered."""

    bag: Bag
    prefix: bytes
    received: int


def original(txn: ReadTxn, mailbox: int, row: Row) -> Original:
    """A message that is there. Raises NotFound."""
    cold = messages.load(txn, mailbox, row.mid)
    bag: Bag = {tag: value for tag in _KEPT if (value := cold.get(tag)) is not None}
    return Original(bag, cold.prefix, row.received)


def wants_non_read(row: Row) -> bool:
    """Whether a message is unread and its sender wants to know when it goes so."""
    return not row.flags & RowFlag.SEEN and bool(row.flags & _OWED)


def owe_non_read(txn: WriteTxn, mailbox: int, row: Row, gone: Original, now: int) -> None:
    """A message was deleted unread, and `wants_non_read`. `gone` was made before."""
    bag = {**gone.bag, tags.PidTagMessageDeliveryTime: gone.received}
    carried = len(gone.prefix).to_bytes(4, "little") + gone.prefix + bags.pack(bag)
    if len(carried) <= MAX_CARRIED:
        timers.put(txn, mailbox, Kind.NON_READ_RECEIPT, row.mid, now, carried)


def deleted(txn: ReadTxn, mailbox: int, mid: int) -> Original | None:
    """What the timer of a deleted message carries."""
    carried = timers.carried(txn, mailbox, Kind.NON_READ_RECEIPT, mid)
    if not carried:
        return None
    end = 4 + int.from_bytes(carried[:4], "little")
    bag = bags.unpack(carried[end:])
    received = bag.get(tags.PidTagMessageDeliveryTime)
    return Original(bag, carried[4:end], received if isinstance(received, int) else 0)
