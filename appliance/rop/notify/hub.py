"""One reading of a mailbox's log for everybody who watches it.

Invariants:
- A commit costs one reading for each mailbox that is watched, however many sessions watch.
- Who begins to watch hears of what is committed from then on, and nobody hears of anything twice.
- Nobody hears of folders that they may not see.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.mailbox import rights
from appliance.mailbox.actor import Actor
from appliance.net import bridge
from appliance.rop.notify.events import Event, since
from appliance.store import mailboxes
from appliance.store.errors import NotFound
from appliance.store.kv import ReadTxn
from appliance.store.permissions import Right
from appliance.store.store import Store

Watch = Callable[[int, Callable[[], None]], Callable[[], None]]
"""Watches a mailbox: called after its commits, on the loop's thread, until what it returned is called."""

Told = Callable[[list[Event]], None]


@dataclass(slots=True, eq=False)
class Listener:
    """Somebody who watches a mailbox. `told` is called on the loop's thread and must not fail."""

    actor: Actor
    told: Told
    after: int = 0
    """The number of the mailbox's clock after which it wants to know."""


@dataclass(slots=True)
class _Feed:
    """A mailbox that is watched: up to which number its log was read."""

    seen: int
    unwatch: Callable[[], None] = lambda: None
    listeners: list[Listener] = field(default_factory=list)


class Hub:
    """One for each engine. `listen` belongs on the loop's thread; what it returns may be called anywhere."""

    def __init__(self, store: Store, watch: Watch) -> None:
        self._store, self._watch = store, watch
        self._feeds: dict[int, _Feed] = {}
        self._lock = threading.Lock()
        self.readings = 0
        """How often a log was read."""

    def listen(self, mailbox: int, listener: Listener) -> Callable[[], None]:
        """Tell the listener what happens in a mailbox after `listener.after` (0: from now on), until what
        this returns is called."""
        feed = self._feeds.get(mailbox)
        if feed is None:
            # Watching first: a commit between the two is read, if with nothing new.
            feed = self._feeds[mailbox] = _Feed(0)
            feed.unwatch = self._watch(mailbox, lambda: self._changed(mailbox))
            feed.seen = bridge.read_now(self._store, lambda txn: mailboxes.get(txn, mailbox).counter)
        else:
            self._changed(mailbox)  # what lies in between is for those who watched already
        with self._lock:
            feed.listeners.append(listener)
            self._feeds[mailbox] = feed
        if 0 < listener.after < feed.seen:
            events = bridge.read_now(self._store, lambda txn: self._missed(txn, mailbox, listener))
            if events:
                listener.told(events)

        def end() -> None:
            with self._lock:
                if listener in feed.listeners:
                    feed.listeners.remove(listener)
                if not feed.listeners and self._feeds.get(mailbox) is feed:
                    feed.unwatch()
                    del self._feeds[mailbox]

        return end

    @staticmethod
    def _missed(txn: ReadTxn, mailbox: int, listener: Listener) -> list[Event]:
        """What happened before the listener came, of what it wants to know. What the feed has not read yet
        comes twice: tables are told again how a row stands."""
        return _visible(txn, mailbox, listener.actor, since(txn, mailbox, listener.after))

    def _changed(self, mailbox: int) -> None:
        feed = self._feeds.get(mailbox)
        if feed is None:
            return
        try:
            told = bridge.read_now(self._store, lambda txn: self._read(txn, mailbox, feed))
        except NotFound:  # the mailbox was removed
            return
        for listener, events in told:
            if events:
                listener.told(events)

    def _read(self, txn: ReadTxn, mailbox: int, feed: _Feed) -> list[tuple[Listener, list[Event]]]:
        counter = mailboxes.get(txn, mailbox).counter
        if counter <= feed.seen:
            return []
        self.readings += 1
        events = since(txn, mailbox, feed.seen)
        feed.seen = counter
        return [(each, _visible(txn, mailbox, each.actor, events)) for each in feed.listeners]


def _visible(txn: ReadTxn, mailbox: int, actor: Actor, events: list[Event]) -> list[Event]:
    """The events that an actor may know of."""
    if actor.admin or actor.mailbox == mailbox:
        return events
    seen: dict[int, bool] = {}

    def may_see(fid: int) -> bool:
        if fid not in seen:
            have = rights.effective(txn, actor, mailbox, fid)
            seen[fid] = bool(have & (Right.FOLDER_VISIBLE | Right.READ_ANY | Right.FOLDER_OWNER))
        return seen[fid]

    return [event for event in events if all(map(may_see, event.folders()))]
