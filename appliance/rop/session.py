"""A client's session (MS-OXCROPS 3.2.1): its logons, its handles, what it waits to be told.

Invariants:
- One batch runs at a time. A handle is not used again before its logon has been given 16 million others.
- A logon takes everything that was opened on it along when it goes.
- At most MAX_OBJECTS handles: whoever opens more gets ecMaxObjsExceeded.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from appliance.directory.model import Entry
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.values import rop_form
from appliance.rop.batch import NO_HANDLE
from appliance.rop.notices import Notices
from appliance.rop.objects import Logon, Object

if TYPE_CHECKING:
    from appliance.rop.engine import Engine

MAX_OBJECTS = 4000
_COUNTER_BITS = 24
_COUNTER = (1 << _COUNTER_BITS) - 1


class Session:
    """What Connect makes. `origin` marks this session's own changes in the log; `code_page` is that of
    strings of 8 bits, `locale` and `sort_locale` are Windows locale ids; `client_version` has three numbers.
    """

    def __init__(
        self,
        engine: "Engine",
        user: Entry,
        *,
        origin: int,
        code_page: int,
        locale: int,
        sort_locale: int,
        client_version: tuple[int, int, int],
    ) -> None:
        self.engine, self.user, self.origin = engine, user, origin
        self.code_page, self.locale, self.sort_locale = code_page, locale, sort_locale
        self.client_version = client_version
        self.form = rop_form(code_page)
        self.lock = asyncio.Lock()
        self.loop: asyncio.AbstractEventLoop
        """Where the session lives, once it has run something."""
        self.logons: dict[int, Logon] = {}
        self.notices = Notices()
        self.cached = False
        """Whether the client keeps a copy of the mailbox (ClientMode, MS-OXCRPC 2.2.2.2.4)."""
        self._objects: dict[int, Object] = {}
        self._handles: dict[Object, int] = {}
        self._given: dict[int, int] = {}
        """How many handles each logon id was given."""
        self.closed = False

    # -- handles -----------------------------------------------------------------------------------------

    def find(self, handle: int, logon_id: int, released: int = ec.ecInvalidObject) -> Object:
        """The object of a handle on a logon (MS-OXCROPS 3.2.5.4). Raises ecNullObject for what never was a
        handle, and where there is no such logon; `released` for what is one no longer; ecAccessDenied for a
        handle of another logon."""
        found = self._objects.get(handle)
        if logon_id not in self.logons or (found is None and not self._was_given(handle)):
            raise MapiError(ec.ecNullObject)
        if found is None:
            raise MapiError(released)
        if found.logon.id != logon_id:
            raise MapiError(ec.ecAccessDenied)
        return found

    def get(self, handle: int) -> Object | None:
        """The object of a handle, on whichever logon; None for a handle that is none."""
        return self._objects.get(handle)

    def handle_of(self, wanted: Object) -> int:
        """The handle of an object, NO_HANDLE when it has none."""
        return self._handles.get(wanted, NO_HANDLE)

    def require_room(self) -> None:
        """Raises ecMaxObjsExceeded when no more objects may be opened."""
        if len(self._objects) >= MAX_OBJECTS:
            raise MapiError(ec.ecMaxObjsExceeded)

    def add(self, made: Object) -> int:
        """Give an object a handle. A logon replaces the one with the same id."""
        if isinstance(made, Logon):
            self._drop_logon(made.id)
            self.logons[made.id] = made
        handle = self._free_handle(made.logon.id)
        self._objects[handle] = made
        self._handles[made] = handle
        return handle

    def _free_handle(self, logon_id: int) -> int:
        """The next handle of a logon id: that id in the highest byte, and a counter from zero. A server may
        choose them as it likes; there are clients that presume Exchange's, which are these. Zero is left out,
        which some take for no handle, and so is the value that is none."""
        while True:
            number = self._given.get(logon_id, 0)
            self._given[logon_id] = number + 1
            handle = logon_id << _COUNTER_BITS | number & _COUNTER
            if handle not in self._objects and handle not in (0, NO_HANDLE):
                return handle

    def _was_given(self, handle: int) -> bool:
        return 0 < handle < NO_HANDLE and handle & _COUNTER < self._given.get(handle >> _COUNTER_BITS, 0)

    def release(self, handle: int) -> None:
        """Forget a handle; unknown ones are ignored (MS-OXCROPS 2.2.15.3)."""
        gone = self._objects.get(handle)
        if isinstance(gone, Logon):
            self._drop_logon(gone.id)
        elif gone is not None:
            self._forget(handle, gone)

    def _drop_logon(self, id: int) -> None:
        logon = self.logons.pop(id, None)
        if logon is None:
            return
        for handle, each in list(self._objects.items()):
            if each.logon is logon:
                self._forget(handle, each)

    def _forget(self, handle: int, gone: Object) -> None:
        del self._objects[handle], self._handles[gone]
        gone.close()

    @property
    def objects(self) -> int:
        """Handles in use."""
        return len(self._objects)

    def later(self, callback: Callable[[], None]) -> None:
        """Call back on the loop's thread before the running batch is answered. From any thread."""
        self.loop.call_soon_threadsafe(callback)

    # -- life --------------------------------------------------------------------------------------------

    async def execute(self, data: bytes, limit: int, *, chain: bool = False) -> list[bytes]:
        """Run a ROP buffer: the buffers of its responses, one, or more where `chain` allows; each takes at
        most the engine's MAX_BUFFER bytes, all together, with the header before each but the first, at most
        `limit`. Raises MapiError for a request that fails as a whole: ecRpcFormat, ecBufferTooSmall."""
        return await self.engine.execute(self, data, limit, chain=chain)

    async def wait(self, seconds: float) -> bool:
        """Whether there are notifications to fetch with the next execute, at the latest after `seconds`."""
        return await self.notices.wait(seconds)

    def close(self) -> None:
        """Release everything."""
        self.closed = True
        self.notices.close()
        for handle in list(self._objects):
            self.release(handle)
        self.logons.clear()
