"""Tells asyncio code that mailboxes changed: one wake-up of the loop for each batch of commits.

The store calls back on its writer thread; the numbers of changed mailboxes gather in a set, and the loop is
woken once until it has taken them. Subscribers are plain callbacks on the loop's thread (an IMAP session's
is `connection.wake`), so a thousand idle sessions cost a dictionary entry each.

Subscribers learn only that something changed; what, they read from the mailbox's log.
"""

import asyncio
import threading
from collections.abc import Callable

from appliance.store.store import Store


class Watches:
    """The subscribers of one loop."""

    def __init__(self, store: Store) -> None:
        self._loop = asyncio.get_running_loop()
        self._subscribers: dict[int, dict[object, Callable[[], None]]] = {}
        self._lock = threading.Lock()
        self._changed: set[int] = set()
        self._end = store.watch(self.changed)

    def changed(self, mailboxes: frozenset[int]) -> None:
        """Note changed mailboxes. May be called from any thread."""
        with self._lock:
            waking = bool(self._changed)
            self._changed |= mailboxes
        if not waking:
            try:
                self._loop.call_soon_threadsafe(self._tell)
            except RuntimeError:  # the loop is closed: nobody is left to be told
                return

    def _tell(self) -> None:
        with self._lock:
            changed, self._changed = self._changed, set()
        for mailbox in changed:
            for callback in list(self._subscribers.get(mailbox, {}).values()):
                callback()

    def tell_all(self) -> None:
        """Let every subscriber look: datagrams between processes may be lost. On the loop's thread."""
        for callbacks in list(self._subscribers.values()):
            for callback in list(callbacks.values()):
                callback()

    def subscribe(self, mailbox: int, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback()` on the loop's thread after commits that touched `mailbox`; it must not block
        or raise. Returns what ends it."""
        token = object()
        self._subscribers.setdefault(mailbox, {})[token] = callback

        def unsubscribe() -> None:
            callbacks = self._subscribers.get(mailbox, {})
            callbacks.pop(token, None)
            if not callbacks:
                self._subscribers.pop(mailbox, None)

        return unsubscribe

    @property
    def count(self) -> int:
        """Subscriptions now."""
        return sum(len(callbacks) for callbacks in self._subscribers.values())

    def close(self) -> None:
        """Tell nobody any more."""
        self._end()
        self._subscribers.clear()
