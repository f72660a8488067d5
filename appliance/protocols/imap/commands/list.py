"""LIST and LSUB (RFC 9051 6.3.9, RFC 3501 6.3.9, RFC 5258, RFC 5819, RFC 6154)."""

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.protocols.imap.list_grammar import ListRequest, parse_list, parse_lsub
from appliance.protocols.imap.names import DELIMITER, Pattern, fold_inbox
from appliance.protocols.imap.namespaces import Found, Node, walk
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.special_use import attribute
from appliance.protocols.imap.status_items import SIZES, status_line
from appliance.protocols.imap.table import LOGGED_ON, Command, Done
from appliance.protocols.imap.wire import mailbox, parens
from appliance.store import messages, subscriptions
from appliance.store.kv import ReadTxn
from appliance.store.permissions import Right


@dataclass(slots=True)
class _Entry:
    """A name with what its reply says."""

    name: str
    found: Found | None
    exists: bool
    has_children: bool
    subscribed: bool = False
    selected: bool = False
    """Whether it meets the selection options itself."""
    child_info: bool = False
    """Whether something below it does (RECURSIVEMATCH)."""


def _entries(nodes: Iterable[Node], subscribed: set[str]) -> dict[str, _Entry]:
    entries = {
        node.name: _Entry(node.name, node.found, True, node.has_children, node.name in subscribed)
        for node in nodes
    }
    for name in sorted(subscribed):
        if name not in entries:  # subscribed, but gone
            entries[name] = _Entry(name, None, False, False, True)
    return entries


def _select(entries: dict[str, _Entry], request: ListRequest) -> None:
    """Mark what meets the selection options, and what has such a thing below it."""
    for entry in entries.values():
        entry.selected = (b"SUBSCRIBED" not in request.select or entry.subscribed) and (
            b"SPECIAL-USE" not in request.select
            or (entry.found is not None and bool(attribute(entry.found.folder)))
        )
        if not entry.exists and b"SUBSCRIBED" not in request.select:
            entry.selected = False
    if b"RECURSIVEMATCH" in request.select:
        for entry in list(entries.values()):
            if entry.selected:
                for above in _ancestors(entry.name):
                    parent = entries.setdefault(above, _Entry(above, None, False, True))
                    parent.child_info = True


def _ancestors(name: str) -> list[str]:
    levels = name.split(DELIMITER)
    return [DELIMITER.join(levels[:count]) for count in range(1, len(levels))]


def _patterns(request: ListRequest) -> list[Pattern]:
    return [Pattern(fold_inbox(request.reference + pattern)) for pattern in request.patterns]


def _attributes(entry: _Entry, request: ListRequest) -> list[bytes]:
    names: list[bytes] = []
    if not entry.exists:
        names.append(b"\\NonExistent")
    elif entry.found is None or not entry.found.rights & (Right.READ_ANY | Right.FOLDER_OWNER):
        names.append(b"\\Noselect")
    names.append(b"\\HasChildren" if entry.has_children else b"\\HasNoChildren")
    if entry.subscribed and request.select | request.returns >= {b"SUBSCRIBED"}:
        names.append(b"\\Subscribed")
    if entry.found is not None:
        use = attribute(entry.found.folder)
        if use:
            names.append(use)
    return names


def _line(session: Session, entry: _Entry, request: ListRequest) -> bytes:
    line = b'LIST %s "/" %s' % (
        parens(_attributes(entry, request)),
        mailbox(entry.name, utf8=session.utf8),
    )
    if entry.child_info:
        line += b' ("CHILDINFO" ("SUBSCRIBED"))' if b"SUBSCRIBED" in request.select else b""
        line += b' ("CHILDINFO" ("SPECIAL-USE"))' if b"SUBSCRIBED" not in request.select else b""
    return line


def _read(session: Session, txn: ReadTxn) -> dict[str, _Entry]:
    subscribed = set(subscriptions.subscribed(txn, session.actor.mailbox))
    return _entries(walk(session, txn), subscribed)


async def run_list(session: Session, request: ListRequest) -> Done:
    """List the names that match."""
    if not request.extended and request.patterns == ("",):
        session.write(b'LIST (\\Noselect) "/" ""')  # RFC 9051 6.3.9: the delimiter is asked for
        return Done("List completed.")
    patterns = _patterns(request)

    def read(txn: ReadTxn) -> list[bytes]:
        entries = _read(session, txn)
        _select(entries, request)
        lines: list[bytes] = []
        for entry in sorted(entries.values(), key=_order):
            if not (entry.selected or entry.child_info) or not _matches(patterns, entry.name):
                continue
            lines.append(_line(session, entry, request))
            if request.status and entry.found and entry.found.rights & Right.READ_ANY:
                lines.append(status_line(session, txn, entry.name, entry.found, request.status))
        return lines

    if request.status and SIZES.intersection(request.status):
        await _render(session, patterns)
    session.write(*await session.services.read(read))
    return Done("List completed.")


async def _render(session: Session, patterns: list[Pattern]) -> None:
    """Have every message whose octets will be counted rendered."""

    def pending(txn: ReadTxn) -> list[Found]:
        found = [node.found for node in walk(session, txn) if node.found and _matches(patterns, node.name)]
        return [each for each in found if messages.unrendered(txn, each.mailbox, each.fid, 1)]

    for folder in await session.services.read(pending):
        await session.services.render(folder.mailbox, folder.fid)


def _order(entry: _Entry) -> tuple[bool, list[str]]:
    return entry.name != "INBOX", entry.name.lower().split(DELIMITER)


def _matches(patterns: list[Pattern], name: str) -> bool:
    return any(pattern.matches(name) for pattern in patterns)


async def run_lsub(session: Session, request: ListRequest) -> Done:
    """List subscribed names; with `%`, also the levels that lead to one (RFC 3501 6.3.9)."""
    patterns = _patterns(request)

    def read(txn: ReadTxn) -> list[bytes]:
        entries = _read(session, txn)
        names = {entry.name for entry in entries.values() if entry.subscribed}
        matching = {name for name in names if _matches(patterns, name)}
        leading: set[str] = set()
        if any(pattern.text.endswith("%") for pattern in patterns):
            above = {parent for name in names for parent in _ancestors(name)}
            leading = {name for name in above - names if _matches(patterns, name)}
        lines = []
        for name in sorted(matching | leading, key=lambda name: (name != "INBOX", name.lower())):
            flags = [b"\\Noselect"] if name in leading else []
            lines.append(b'LSUB %s "/" %s' % (parens(flags), mailbox(name, utf8=session.utf8)))
        return lines

    session.write(*await session.services.read(read))
    return Done("Lsub completed.")


LIST = Command(b"LIST", LOGGED_ON, parse_list, run_list)
LSUB = Command(b"LSUB", LOGGED_ON, parse_lsub, run_lsub)
