"""What a session is told of its folder: EXPUNGE or VANISHED, EXISTS, RECENT, FETCH of changed flags.

Order: what is gone, then what came, then what changed, so that every number in a reply counts what the
client knows by then (RFC 9051 7.5.1).
"""

from typing import TYPE_CHECKING

from appliance.protocols.imap import flags, sequence
from appliance.protocols.imap.selected import Selected, Snapshot
from appliance.store import contents
from appliance.store.kv import ReadTxn

if TYPE_CHECKING:
    from appliance.protocols.imap.session import Session


def announcements(session: "Session", txn: ReadTxn, *, expunges: bool) -> list[bytes]:
    """The untagged replies that bring the client up to the snapshot; the view moves with them."""
    view = session.folder
    snapshot = view.at(txn)
    lines: list[bytes] = []
    if expunges and view.gone:
        lines += _expunged(session, view, snapshot)
    lines += _arrived(session, view, snapshot, txn)
    if view.changed:
        lines += _changed(session, view, snapshot, txn)
    return lines


def _expunged(session: "Session", view: Selected, snapshot: Snapshot) -> list[bytes]:
    if session.qresync:
        lines = [b"* VANISHED %s\r\n" % sequence.compress(view.gone)]  # RFC 7162 3.2.10
    else:
        numbers = [snapshot.seq(uid) for uid in view.gone]
        lines = [b"* %d EXPUNGE\r\n" % number for number in reversed(numbers)]
    view.saved = view.saved.without(view.gone)  # RFC 5182 2.1
    view.gone.clear()
    return lines


def _arrived(session: "Session", view: Selected, snapshot: Snapshot, txn: ReadTxn) -> list[bytes]:
    count = snapshot.uids.count
    last = snapshot.uids.uid_at(count) if count else 0
    if last <= view.ceiling:
        return []
    view.ceiling = last
    lines = [b"* %d EXISTS\r\n" % (count + len(view.gone))]
    if not session.rev2:
        claim(session, view, txn)
        lines.append(b"* %d RECENT\r\n" % view.recent_in(txn))
    return lines


def claim(session: "Session", view: Selected, txn: ReadTxn) -> None:
    """Make what nobody has seen \\Recent in this session; an EXAMINE sees without claiming."""
    recents = session.services.recents
    if view.read_only:
        first = recents.first(txn, view.mailbox, view.fid)
        fresh = (first, view.ceiling) if first <= view.ceiling else None
        if fresh and view.recent and view.recent[-1][0] <= fresh[0]:
            view.recent.pop()
    else:
        fresh = recents.claim(txn, view.mailbox, view.fid)
    if fresh:
        view.recent.append(fresh)


def _changed(session: "Session", view: Selected, snapshot: Snapshot, txn: ReadTxn) -> list[bytes]:
    lines = []
    for uid in sorted(view.changed):
        mid = snapshot.uids.mid(uid)
        row = contents.find(txn, view.mailbox, view.fid, mid) if mid is not None else None
        if row is None:
            continue
        lines += new_keywords(view, row.keywords)
        items = b"FLAGS (%s)" % flags.text(row.flags & flags.SHOWN, row.keywords, view.is_recent(uid))
        if session.condstore:
            items = b"UID %d %s MODSEQ (%d)" % (uid, items, row.mod)  # RFC 7162 3.2.4
        lines.append(b"* %d FETCH (%s)\r\n" % (snapshot.seq(uid), items))
    view.changed.clear()
    return lines


def new_keywords(view: Selected, keywords: tuple[str, ...]) -> list[bytes]:
    """A FLAGS response when a message carries a keyword that the client was not told of."""
    fresh = [keyword for keyword in keywords if keyword.lower() not in view.keywords]
    if not fresh:
        return []
    view.keywords.update(keyword.lower() for keyword in fresh)
    return [flags_line(view)]


def flags_line(view: Selected) -> bytes:
    """The FLAGS response: what is in use, as far as it is known."""
    common = {keyword.decode().lower() for keyword in flags.COMMON_KEYWORDS}
    extra = sorted(view.keywords - common)
    names = [*flags.SYSTEM, *flags.COMMON_KEYWORDS, *(keyword.encode() for keyword in extra)]
    return b"* FLAGS (%s)\r\n" % b" ".join(names)
