"""What changed in a folder since a mod-sequence: the answers of CONDSTORE and QRESYNC (RFC 7162).

The log says it while it reaches back that far; before that, the rows' own mod-sequences say what changed,
and what is gone is what the client knew minus what exists.
"""

from appliance.protocols.imap.sequence import Ranges
from appliance.store import contents, log
from appliance.store.contents import Row
from appliance.store.kv import ReadTxn
from appliance.store.uids import UidView


def changed_since(txn: ReadTxn, mailbox: int, fid: int, modseq: int, within: Ranges) -> list[int]:
    """UIDs in `within` of existing messages that changed after `modseq`, in order."""
    if log.floor(txn, mailbox) > modseq:
        rows = contents.rows(txn, mailbox, fid)
        return sorted(row.uid for row in rows if row.mod > modseq and row.uid in within)
    found: dict[int, int] = {}
    for change in log.changes(txn, mailbox, fid, modseq):
        left = change.gone()
        if left:
            found.pop(left, None)
        if change.uid and change.uid != left and change.uid in within:
            found[change.uid] = change.mid
    exists = UidView(txn, mailbox, fid)
    return sorted(uid for uid in found if exists.mid(uid) is not None)


def vanished_since(txn: ReadTxn, mailbox: int, fid: int, modseq: int, within: Ranges) -> Ranges:
    """UIDs in `within` that left the folder after `modseq`; more than those when the log was trimmed, but
    never one that exists (RFC 7162 3.2.6)."""
    if log.floor(txn, mailbox) > modseq:
        return absent(UidView(txn, mailbox, fid), within)
    gone = {change.gone() for change in log.changes(txn, mailbox, fid, modseq)}
    return Ranges.of(uid for uid in gone if uid and uid in within)


def absent(uids: UidView, within: Ranges) -> Ranges:
    """What of `within` is no UID of a message."""
    pairs = []
    for low, high in within.pairs:
        for uid, _ in uids.range(low, high):
            if low < uid:
                pairs.append((low, uid - 1))
            low = uid + 1
        if low <= high:
            pairs.append((low, high))
    return Ranges(pairs)


def rows_of(txn: ReadTxn, mailbox: int, fid: int, uids: list[int]) -> list[Row]:
    """The rows of existing messages, in the order given."""
    view = UidView(txn, mailbox, fid)
    mids = ((uid, view.mid(uid)) for uid in uids)
    return [contents.get(txn, mailbox, fid, mid) for _, mid in mids if mid is not None]


def known_by_match(uids: UidView, sequence_numbers: Ranges, known: Ranges) -> int:
    """The highest UID up to which the client's sequence match data agrees with the folder: nothing up to
    it has vanished (RFC 7162 3.2.5.2)."""
    agreed = 0
    for seq, uid in zip(sequence_numbers, known, strict=False):
        if seq > uids.count or uids.uid_at(seq) != uid:
            break
        agreed = uid
    return agreed
