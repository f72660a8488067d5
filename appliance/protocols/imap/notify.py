"""NOTIFY: what a client asked to be told, and the telling (RFC 5465).

`Notifications` remembers, for every folder that the session can list, its name, mod-sequence, next UID and
count. After a wake-up it looks again and tells the differences that the client's filters let pass: STATUS
for messages of folders that are not selected, LIST for names and subscriptions. The selected folder's news
are the session's own announcements, made at once where SELECTED was asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from appliance.protocols.imap.fetch_grammar import Item
from appliance.protocols.imap.names import DELIMITER
from appliance.protocols.imap.namespaces import Found, Space, walk
from appliance.protocols.imap.status_items import status_line
from appliance.protocols.imap.table import Announce
from appliance.protocols.imap.wire import mailbox
from appliance.store import subscriptions
from appliance.store.kv import ReadTxn
from appliance.store.permissions import Right

if TYPE_CHECKING:
    from appliance.protocols.imap.session import Session


class Filter(Enum):
    """Which mailboxes an event group is about (RFC 5465 6)."""

    SELECTED = b"SELECTED"
    SELECTED_DELAYED = b"SELECTED-DELAYED"
    INBOXES = b"INBOXES"
    PERSONAL = b"PERSONAL"
    SUBSCRIBED = b"SUBSCRIBED"
    SUBTREE = b"SUBTREE"
    MAILBOXES = b"MAILBOXES"


class Event(Enum):
    """What is told (RFC 5465 5)."""

    MESSAGE_NEW = b"MESSAGENEW"
    MESSAGE_EXPUNGE = b"MESSAGEEXPUNGE"
    FLAG_CHANGE = b"FLAGCHANGE"
    MAILBOX_NAME = b"MAILBOXNAME"
    SUBSCRIPTION_CHANGE = b"SUBSCRIPTIONCHANGE"


@dataclass(frozen=True, slots=True)
class Group:
    """An event group. `items` are fetched of new messages of the selected folder."""

    filter: Filter
    names: tuple[str, ...]
    events: frozenset[Event]
    items: tuple[Item, ...] = ()


class _State(NamedTuple):
    """What was last told of a folder."""

    name: str
    modseq: int
    uidnext: int
    total: int


_Key = tuple[int, int]


class Notifications:
    """The notifications of one session."""

    def __init__(self, session: "Session", groups: tuple[Group, ...]) -> None:
        self._groups = groups
        self._wake = session.channel.connection.wake
        self._watched: dict[int, Callable[[], None]] = {}
        with session.services.store.read() as txn:
            self._states, self._found = self._look(session, txn)
            self._subscribed = set(subscriptions.subscribed(txn, session.actor.mailbox))
        self._watch(session)

    def selected_changed(self, session: "Session") -> None:
        """Another folder is selected."""
        self._watch(session)

    def close(self) -> None:
        """Tell nothing any more."""
        for end in self._watched.values():
            end()
        self._watched.clear()

    @property
    def selected(self) -> Group | None:
        """The group about the selected folder."""
        wanted = (Filter.SELECTED, Filter.SELECTED_DELAYED)
        return next((group for group in self._groups if group.filter in wanted), None)

    async def push(self, session: "Session", *, idle: bool = False, between: bool = True) -> None:
        """Tell what happened since the last time. `between`: no command is running, so that the selected
        folder's news are told here; a command tells them itself at its end."""
        group = self.selected
        asked = idle or (group is not None and bool(group.events))
        if session.selected is not None and between and asked:
            at_once = idle or (group is not None and group.filter is Filter.SELECTED)
            before = session.selected.ceiling
            await session.announce(Announce.ALL if at_once else Announce.NO_EXPUNGE)
            if group is not None and group.items and session.selected.ceiling > before:
                await session.fetch_new(before + 1, group.items)
        with session.services.store.read() as txn:
            lines = self._differences(session, txn)
        session.write(*lines)
        self._watch(session)
        await session.channel.relieve()

    def initial(self, session: "Session") -> list[bytes]:
        """STATUS of every folder with message events, for NOTIFY SET STATUS (RFC 5465 4)."""
        with session.services.store.read() as txn:
            return [
                self._status(session, txn, key)
                for key, state in self._states.items()
                if self._events(key, state.name) & {Event.MESSAGE_NEW, Event.FLAG_CHANGE}
                and not self._is_selected(session, key)
            ]

    # -- looking --------------------------------------------------------------------------------------

    def _look(self, session: "Session", txn: ReadTxn) -> tuple[dict[_Key, _State], dict[_Key, Found]]:
        states, found = {}, {}
        for node in walk(session, txn):
            if node.found is None:
                continue
            folder = node.found.folder
            key = (node.found.mailbox, folder.fid)
            states[key] = _State(node.name, folder.contents_mod, folder.uidnext, folder.total)
            found[key] = node.found
        return states, found

    def _watch(self, session: "Session") -> None:
        wanted = {mailbox for mailbox, _ in self._states} | {session.home}
        for number in wanted - self._watched.keys():
            self._watched[number] = session.services.watches.subscribe(number, self._wake)
        for number in self._watched.keys() - wanted:
            self._watched.pop(number)()

    def _events(self, key: _Key, name: str) -> frozenset[Event]:
        """The events of the first group that is about a folder (RFC 5465 3.1)."""
        for group in self._groups:
            if self._applies(group, key, name):
                return group.events
        return frozenset()

    def _applies(self, group: Group, key: _Key, name: str) -> bool:
        found = self._found.get(key)
        personal = found is not None and found.space is Space.PERSONAL
        match group.filter:
            case Filter.INBOXES:
                return name == "INBOX" or name.startswith("INBOX" + DELIMITER)
            case Filter.PERSONAL:
                return personal
            case Filter.SUBSCRIBED:
                return name in self._subscribed
            case Filter.SUBTREE:
                return any(name == top or name.startswith(top + DELIMITER) for top in group.names)
            case Filter.MAILBOXES:
                return name in group.names
            case _:
                return False

    @staticmethod
    def _is_selected(session: "Session", key: _Key) -> bool:
        view = session.selected
        return view is not None and (view.mailbox, view.fid) == key

    # -- telling --------------------------------------------------------------------------------------

    def _differences(self, session: "Session", txn: ReadTxn) -> list[bytes]:
        old, old_found = self._states, self._found
        new, found = self._look(session, txn)
        subscribed = set(subscriptions.subscribed(txn, session.actor.mailbox))
        self._found = {**old_found, **found}
        lines: list[bytes] = []
        for key in old.keys() - new.keys():
            if Event.MAILBOX_NAME in self._events(key, old[key].name):
                lines.append(self._list(session, old[key].name, [b"\\NonExistent"]))
        self._states, self._found = new, found
        for key, state in new.items():
            lines += self._of_folder(session, txn, key, old.get(key), state)
        lines += self._of_subscriptions(session, subscribed)
        self._subscribed = subscribed
        return lines

    def _of_folder(
        self, session: "Session", txn: ReadTxn, key: _Key, old: _State | None, new: _State
    ) -> list[bytes]:
        events = self._events(key, new.name)
        lines = []
        if Event.MAILBOX_NAME in events and (old is None or old.name != new.name):
            renamed = b""
            if old is not None:  # RFC 5465 5.4
                renamed = b' ("OLDNAME" (%s))' % mailbox(old.name, utf8=session.utf8)
            lines.append(self._list(session, new.name, []) + renamed)
        if old is None or old.modseq == new.modseq or self._is_selected(session, key):
            return lines
        rights = self._found[key].rights
        if not rights & (Right.READ_ANY | Right.FOLDER_OWNER):
            return lines
        arrived = new.uidnext - old.uidnext
        happened = set()
        if arrived:
            happened.add(Event.MESSAGE_NEW)
        if new.total < old.total + arrived:
            happened.add(Event.MESSAGE_EXPUNGE)
        if events & (happened or {Event.FLAG_CHANGE}):
            lines.append(self._status(session, txn, key))
        return lines

    def _of_subscriptions(self, session: "Session", subscribed: set[str]) -> list[bytes]:
        lines = []
        for name in subscribed ^ self._subscribed:
            key = next((key for key, state in self._states.items() if state.name == name), (0, 0))
            if Event.SUBSCRIPTION_CHANGE in self._events(key, name):
                attributes = [b"\\Subscribed"] if name in subscribed else []
                lines.append(self._list(session, name, attributes))
        return lines

    def _status(self, session: "Session", txn: ReadTxn, key: _Key) -> bytes:
        items: tuple[bytes, ...] = (b"MESSAGES", b"UIDNEXT", b"UIDVALIDITY", b"UNSEEN")
        if session.condstore:
            items = (*items, b"HIGHESTMODSEQ")  # RFC 5465 5.2
        return status_line(session, txn, self._states[key].name, self._found[key], items)

    @staticmethod
    def _list(session: "Session", name: str, attributes: list[bytes]) -> bytes:
        return b'LIST (%s) "/" %s' % (b" ".join(attributes), mailbox(name, utf8=session.utf8))
