"""STATUS data of a folder (RFC 9051 6.3.11), shared by STATUS, LIST ... RETURN (STATUS ...) and NOTIFY."""

from typing import TYPE_CHECKING

from appliance.protocols.imap import objectids
from appliance.protocols.imap.errors import Bad
from appliance.protocols.imap.namespaces import Found
from appliance.protocols.imap.tokens import Cursor
from appliance.protocols.imap.wire import mailbox
from appliance.store import contents
from appliance.store.contents import RowFlag
from appliance.store.kv import ReadTxn

if TYPE_CHECKING:
    from appliance.protocols.imap.session import Session

ITEMS = frozenset(
    {
        b"MESSAGES",
        b"RECENT",
        b"UIDNEXT",
        b"UIDVALIDITY",
        b"UNSEEN",
        b"DELETED",
        b"DELETED-STORAGE",
        b"SIZE",
        b"HIGHESTMODSEQ",
        b"APPENDLIMIT",
        b"MAILBOXID",
    }
)

SIZES = frozenset({b"SIZE", b"DELETED-STORAGE"})
"""Items that count octets: the folder's messages must have theirs before."""


def parse_items(cursor: Cursor) -> tuple[bytes, ...]:
    """A parenthesised list of items. Raises Bad."""
    found = cursor.items(cursor.word, empty=False, limit=50)
    if not ITEMS.issuperset(found):
        raise Bad("Unknown STATUS item.")
    return tuple(dict.fromkeys(found))


def status_line(session: "Session", txn: ReadTxn, name: str, found: Found, items: tuple[bytes, ...]) -> bytes:
    """`STATUS name (...)`, without asterisk and line end."""
    facts = [b"%s %s" % (item, _value(session, txn, found, item)) for item in items]
    return b"STATUS %s (%s)" % (mailbox(name, utf8=session.utf8), b" ".join(facts))


def _value(session: "Session", txn: ReadTxn, found: Found, item: bytes) -> bytes:
    folder = found.folder
    match item:
        case b"RECENT":
            number = 0 if session.rev2 else session.services.recents.count(txn, found.mailbox, folder.fid)
        case b"DELETED" | b"DELETED-STORAGE":
            rows = contents.rows(txn, found.mailbox, folder.fid)
            sizes = [row.size for row in rows if row.flags & RowFlag.DELETED]
            number = len(sizes) if item == b"DELETED" else sum(sizes)
        case b"MAILBOXID":
            return b"(" + objectids.mailbox_id(found.mailbox, folder.fid) + b")"
        case _:
            number = {
                b"MESSAGES": folder.total,
                b"UIDNEXT": folder.uidnext,
                b"UIDVALIDITY": folder.uidvalidity,
                b"UNSEEN": folder.unread,
                b"SIZE": folder.size,
                b"HIGHESTMODSEQ": folder.contents_mod,
                b"APPENDLIMIT": session.services.append_limit,
            }[item]
    return b"%d" % number
