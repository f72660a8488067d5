"""The Table object behind a handle: one client's table over rows of the store (MS-OXCTABL 3.2).

What a table can do depends on what it shows (`Shows`); the ROPs ask with `need`. Every operation is complete
when it is answered, so the status is always TBLSTAT_COMPLETE. Operations read on the loop's thread once the
rows are in order, in a reader thread before.

A failed RopSetColumns leaves the table without columns; a failed RopSortTable or RopRestrict makes what reads
rows fail until another succeeds or the table is reset (3.2.5.2 to 3.2.5.4, 3.2.5.15).
"""

from enum import Flag, auto
from functools import partial
from typing import Any

from appliance.mapi import errors as ec
from appliance.mapi import restrictions
from appliance.mapi.errors import MapiError
from appliance.mapi.restrictions import Restriction, TooComplex
from appliance.mapi.sorts import SortOrderSet
from appliance.mapi.values import Form
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On
from appliance.rop.notify.tables import TableWatch
from appliance.rop.objects import Logon, Object
from appliance.rop.orders import NOTED, Place
from appliance.store import mailboxes
from appliance.store.tables.arrangement import Arrangements
from appliance.store.tables.conversation import MembersSource
from appliance.store.tables.source import Source
from appliance.store.tables.table import Table
from appliance.wire.errors import DecodeError

TBLSTAT_COMPLETE = 0x00
"""TableStatus (MS-OXCTABL 2.2.2.1.3): no operation is under way."""


class Shows(Flag):
    """What the rows of a table are."""

    CONTENTS = auto()
    HIERARCHY = auto()
    RULES = auto()
    PERMISSIONS = auto()
    ATTACHMENTS = auto()


ANYTHING = Shows.CONTENTS | Shows.HIERARCHY | Shows.RULES | Shows.PERMISSIONS | Shows.ATTACHMENTS


class TableObject(Object):
    """A table with its cursor. `place` says where its messages are, for orders that the store may keep."""

    __slots__ = ("_broken", "members", "place", "shows", "table", "watch")
    kind = On.TABLE

    def __init__(
        self, logon: Logon, shows: Shows, source: Source, shared: Arrangements, place: Place | None = None
    ) -> None:
        self.logon, self.shows, self.place = logon, shows, place
        self.table = Table(source, shared)
        self.members = source if isinstance(source, MembersSource) else None
        """Set for a table of conversations: a restriction to one of them narrows it."""
        self._broken: set[str] = set()
        self.watch: TableWatch | None = None
        """Tells the client what happens to the rows, where it wants to know."""

    def close(self) -> None:
        if self.watch is not None:
            self.watch.end()

    def sort(self, orders: SortOrderSet | None) -> None:
        """RopSortTable (3.2.5.3); None for orders that cannot be read."""
        self._broken.add("sort")
        if orders is None:
            raise MapiError(ec.ecInvalidParam)
        self.table.sort(orders)
        self._broken.discard("sort")

    def restrict(self, data: bytes, form: Form) -> None:
        """RopRestrict (3.2.5.4); no bytes take the restriction away."""
        self._broken.add("restriction")
        self._narrow(restriction_of(data, form) if data else None)
        self._broken.discard("restriction")

    def _narrow(self, restriction: Restriction | None) -> None:
        self.table.restrict(restriction)
        if self.members is not None:
            self.table.show(self.members.narrowed(restriction))

    def reset(self) -> None:
        """RopResetTable (3.2.5.16)."""
        self._broken.clear()
        self.table.reset()
        self._narrow(None)
        if self.watch is not None:
            self.watch.end()  # MS-OXCNOTIF 3.1.4.3: until rows are asked for again

    def require_sound(self) -> None:
        """Raises ecNullObject while a failed sort order or restriction stands."""
        if self._broken:
            raise MapiError(ec.ecNullObject)


def restriction_of(data: bytes, form: Form) -> Restriction:
    """A restriction of a request. Raises ecTooComplex, and ecInvalidParam for bytes that are none."""
    try:
        return restrictions.parse(data, form)
    except TooComplex as error:
        raise MapiError(ec.ecTooComplex, str(error)) from None
    except (DecodeError, ValueError) as error:
        raise MapiError(ec.ecInvalidParam, str(error)) from None


def table_of(ctx: RopContext, shows: Shows = ANYTHING) -> TableObject:
    """The table behind the handle. Raises ecNotSupported for one that shows something else."""
    found = ctx.input(TableObject)
    if not found.shows & shows:
        raise MapiError(ec.ecNotSupported)
    return found


def sound_table(ctx: RopContext, shows: Shows = ANYTHING) -> TableObject:
    """The same, for what reads its rows."""
    found = table_of(ctx, shows)
    found.require_sound()
    begin_watch(ctx, found)
    return found


def begin_watch(ctx: RopContext, table: TableObject) -> None:
    """Tell what happens to the rows from this snapshot on: the client has a view of them now (MS-OXCNOTIF
    3.1.4.3)."""
    watch = table.watch
    if watch is not None and not watch.watches:
        seen = mailboxes.get(ctx.txn, table.logon.mailbox).counter
        session = ctx.session
        ctx.emit(lambda: session.later(partial(watch.begin, seen)))


def reading(ctx: RopContext, _request: Any) -> Access:
    """The access of ROPs that need the rows in order."""
    found = ctx.input(TableObject)
    return Access.READ if found.shows is not Shows.CONTENTS or found.table.is_ready else Access.SCAN


def keep_order(ctx: RopContext, table: TableObject) -> None:
    """Once the ROP is done, have the store keep the order that the table is sorted by, if it is one of
    those, and once a day know that it is used."""
    order, place = table.table.wanted_order, table.place
    if order is None or place is None:
        return
    used, orders = table.table.order_used, ctx.session.engine.orders
    if used is None:
        ctx.emit(lambda: orders.keep(place, order))
    elif ctx.now - used > NOTED:
        ctx.emit(lambda: orders.note_use(place, order, ctx.now))
