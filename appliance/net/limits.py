"""How many connections there may be, and who goes when there are more.

A connection is settled once its peer has shown who it is; until then it is worth little. When there are too
many, the oldest unsettled one is closed to make room for the newcomer, first of the newcomer's own address
if that holds more than its share: a flood of half-open connections pushes itself out, and somebody who logs
in promptly is let in all the same. Only where nobody is left to go is the newcomer refused.
"""

from dataclasses import dataclass
from typing import Protocol


class Held(Protocol):
    """What the gate knows of a connection."""

    @property
    def peer(self) -> str:
        """The peer's address."""

    def abort(self) -> None:
        """Cut it off."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Numbers of connections at one gate."""

    total: int = 4000
    per_address: int = 1000
    unsettled: int = 1200
    unsettled_per_address: int = 600


class Gate:
    """Counts the connections of a service (or of several that share it)."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._unsettled: dict[Held, None] = {}
        self._unsettled_of: dict[str, dict[Held, None]] = {}
        self._settled: set[Held] = set()
        self._count_of: dict[str, int] = {}
        self.count = 0
        """Connections now."""
        self.evicted = 0
        """Connections that had to go for newer ones, so far."""
        self.refused = 0
        """Connections that were not let in, so far."""

    @property
    def unsettled(self) -> int:
        """Connections whose peers have not shown who they are."""
        return len(self._unsettled)

    def enter(self, connection: Held) -> bool:
        """Let a new connection in if there is room or room can be made."""
        peer, limits = connection.peer, self._limits
        own = self._unsettled_of.get(peer, {})
        makes_room = True
        if self._count_of.get(peer, 0) >= limits.per_address or len(own) >= limits.unsettled_per_address:
            makes_room = self._evict(own)
        elif self.count >= limits.total or len(self._unsettled) >= limits.unsettled:
            share = len(self._unsettled) // max(1, len(self._unsettled_of))
            makes_room = self._evict(own if len(own) > share else self._unsettled)
        if not makes_room:
            self.refused += 1
            return False
        self.count += 1
        self._count_of[peer] = self._count_of.get(peer, 0) + 1
        self._unsettled[connection] = None
        self._unsettled_of.setdefault(peer, {})[connection] = None
        return True

    def _evict(self, candidates: dict[Held, None]) -> bool:
        """Cut off the oldest of `candidates`; it leaves the count at once, and its own end later."""
        oldest = next(iter(candidates), None)
        if oldest is None:
            return False
        self.evicted += 1
        self._leave(oldest)
        oldest.abort()
        return True

    def settle(self, connection: Held) -> None:
        """The peer has shown who it is."""
        if connection in self._unsettled:
            self._drop_unsettled(connection)
            self._settled.add(connection)

    def leave(self, connection: Held) -> None:
        """The connection is closed. Harmless for one that was never let in, or was evicted."""
        if connection in self._unsettled or connection in self._settled:
            self._leave(connection)

    def _leave(self, connection: Held) -> None:
        if connection in self._unsettled:
            self._drop_unsettled(connection)
        self._settled.discard(connection)
        self.count -= 1
        left = self._count_of[connection.peer] - 1
        if left:
            self._count_of[connection.peer] = left
        else:
            del self._count_of[connection.peer]

    def _drop_unsettled(self, connection: Held) -> None:
        del self._unsettled[connection]
        of_peer = self._unsettled_of[connection.peer]
        del of_peer[connection]
        if not of_peer:
            del self._unsettled_of[connection.peer]
