"""INPROGRESS: signs of life during long commands (RFC 9585)."""

import time
from typing import TYPE_CHECKING

from appliance.protocols.imap.limits import INPROGRESS_AFTER
from appliance.protocols.imap.wire import quoted

if TYPE_CHECKING:
    from appliance.protocols.imap.session import Session


class Progress:
    """Tells the client every few seconds how far the running command is. `total` 0: not known."""

    __slots__ = ("_last", "_session", "total")

    def __init__(self, session: "Session", total: int = 0) -> None:
        self._session = session
        self.total = total
        self._last = time.monotonic()

    def tell(self, done: int) -> None:
        """`done` of `total` units are done."""
        now = time.monotonic()
        if now - self._last < INPROGRESS_AFTER:
            return
        self._last = now
        total = b"%d" % self.total if self.total else b"NIL"
        code = b"INPROGRESS (%s %d %s)" % (quoted(self._session.tag), min(done, self.total or done), total)
        self._session.ok(code, "Still at it.")
