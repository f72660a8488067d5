"""Session contexts: what a client's cookies stand for (MS-OXCMAPIHTTP 3.2.1, 3.2.5).

Two cookies go with every response: one names the context, one is the ticket for its next request. A ticket is
good once, so that of two requests with the same one is refused, whether they come at once or one after the
other (3.2.5.1). Long polls and PING take no ticket: they may come while another request runs.

Invariants:
- A context belongs to the user who opened it; for everybody else it does not exist.
- It goes when it was idle for `lifetime` seconds; while a request runs it does not age.
- What it holds is closed once, and never under a request that is running: then when that ends.
- A user has at most MAX_PER_USER of them, all together at most MAX_CONTEXTS: the longest idle one makes room.
"""

import base64
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from appliance.protocols.mapihttp.headers import Fault, ResponseCode

T = TypeVar("T")

CONTEXT, SEQUENCE = "MapiContext", "MapiSequence"
"""Names of the cookies (3.2.5.1 leaves them to us)."""

MAX_PER_USER = 500
MAX_CONTEXTS = 2000
LIFETIME = 900.0
"""Seconds for which a context lives without requests."""

_TOKEN_BYTES, _TICKET_BYTES = 24, 9
_TOKEN_LENGTH = _TOKEN_BYTES * 4 // 3
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def _random(size: int) -> str:
    return base64.urlsafe_b64encode(os.urandom(size)).decode()


@dataclass(slots=True, eq=False)
class Context(Generic[T]):
    """One context. `user`: id of who opened it; `held`: what it keeps for the endpoint; `used`: when its last
    request ended; `attributes`: of its cookies (RFC 6265 4.1.2)."""

    token: str
    user: int
    held: T
    attributes: str
    used: float
    ticket: str = field(default_factory=lambda: _random(_TICKET_BYTES))
    number: int = 1
    busy: bool = False
    """A request runs that took a ticket."""
    waits: int = 0
    """Other requests that run."""
    gone: bool = False

    @property
    def cookies(self) -> tuple[str, ...]:
        """The values of Set-Cookie (2.2.3.2.3)."""
        sequence = f"{self.number}-{self.ticket}"
        return (f"{CONTEXT}={self.token}{self.attributes}", f"{SEQUENCE}={sequence}{self.attributes}")

    @property
    def running(self) -> bool:
        """Whether any request runs."""
        return self.busy or self.waits > 0


class Ticket:
    """The turn of one request. Given back twice it does nothing: the next may have its own by then."""

    __slots__ = ("_end",)

    def __init__(self, end: Callable[[], None]) -> None:
        self._end: Callable[[], None] | None = end

    def give_back(self) -> None:
        """The request is over."""
        end, self._end = self._end, None
        if end is not None:
            end()


class Contexts(Generic[T]):
    """The contexts of one endpoint. `path`: what its cookies are for; `close` ends what a context held;
    `clock` gives seconds."""

    def __init__(
        self, path: str, close: Callable[[T], None], clock: Callable[[], float], lifetime: float = LIFETIME
    ) -> None:
        self._path, self._close, self._clock = path, close, clock
        self.lifetime = lifetime
        self._all: dict[str, Context[T]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def open(self, user: int, held: T, *, secure: bool = False) -> Context[T]:
        """A new context. `secure`: its cookies are for TLS alone."""
        self._make_room(user)
        attributes = f"; path={self._path}; HttpOnly" + ("; Secure" if secure else "")
        context = Context(_random(_TOKEN_BYTES), user, held, attributes, self._clock())
        self._all[context.token] = context
        return context

    def _make_room(self, user: int) -> None:
        mine = [context for context in self._all.values() if context.user == user]
        crowd = mine if len(mine) >= MAX_PER_USER else list(self._all.values())
        if len(mine) >= MAX_PER_USER or len(crowd) >= MAX_CONTEXTS:
            self.destroy(min(crowd, key=lambda context: (context.running, context.used)))

    def named(self, cookies: Mapping[str, str], user: int) -> Context[T] | None:
        """The context that a user's cookies name, None where there is none (any more)."""
        context = self._all.get(cookies.get(CONTEXT, ""))
        if context is None or context.user != user:
            return None
        if not context.running and self._clock() - context.used >= self.lifetime:
            self.destroy(context)
            return None
        return context

    def find(self, cookies: Mapping[str, str], user: int) -> Context[T]:
        """The context that a user's cookies name. Raises Fault."""
        token = cookies.get(CONTEXT)
        if token is None:
            raise Fault(ResponseCode.MISSING_COOKIE, f"The cookie {CONTEXT} is missing.")
        if len(token) != _TOKEN_LENGTH or not _ALPHABET.issuperset(token):
            raise Fault(ResponseCode.INVALID_CONTEXT_COOKIE, f"The cookie {CONTEXT} is damaged.")
        context = self.named(cookies, user)
        if context is None:
            raise Fault(ResponseCode.CONTEXT_NOT_FOUND, "There is no such session context.")
        return context

    def begin(self, context: Context[T], cookies: Mapping[str, str]) -> "Ticket":
        """A request takes its ticket; from now on the next one is asked for. Raises Fault."""
        given = cookies.get(SEQUENCE)
        if given is None:
            raise Fault(ResponseCode.MISSING_COOKIE, f"The cookie {SEQUENCE} is missing.", context.cookies)
        if context.busy or given != f"{context.number}-{context.ticket}":
            text = "One request at a time, each with the cookies of the one before."
            raise Fault(ResponseCode.INVALID_SEQUENCE, text, context.cookies)
        context.busy = True
        context.number += 1
        context.ticket = _random(_TICKET_BYTES)
        return Ticket(lambda: self._end(context))

    def _end(self, context: Context[T]) -> None:
        context.busy = False
        self.touch(context)
        if context.gone:
            self._close(context.held)

    def begin_wait(self, context: Context[T]) -> None:
        """A request begins that takes no ticket."""
        context.waits += 1

    def end_wait(self, context: Context[T]) -> None:
        """It is over."""
        context.waits -= 1
        self.touch(context)

    def touch(self, context: Context[T]) -> None:
        """The context was used: its idle time begins anew (3.2.5.3)."""
        context.used = self._clock()

    def destroy(self, context: Context[T]) -> None:
        """The context is no more (3.2.5.4)."""
        if context.gone:
            return
        context.gone = True
        del self._all[context.token]
        if not context.busy:
            self._close(context.held)

    def expire(self) -> float | None:
        """Destroy what was idle for too long. Seconds until this is due again, None while there are none."""
        now = self._clock()
        for context in list(self._all.values()):
            if not context.running and now - context.used >= self.lifetime:
                self.destroy(context)
        idle = [context.used + self.lifetime - now for context in self._all.values() if not context.running]
        return max(1.0, min(idle, default=self.lifetime)) if self._all else None

    def close(self) -> None:
        """Destroy all."""
        for context in list(self._all.values()):
            self.destroy(context)
