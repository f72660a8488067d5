"""What a session asked to be told (RopRegisterNotification): kinds of events, and their scope."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from appliance.rop.model import On
from appliance.rop.notify.data import ROP_NOTIFY, NotificationData, Notify, Type
from appliance.rop.notify.events import Event
from appliance.rop.notify.hub import Listener
from appliance.rop.objects import Logon, Object

if TYPE_CHECKING:
    from appliance.rop.session import Session


class Subscription(Object):
    """A Notification Subscription object. The scope is the whole mailbox, a folder (its own events, those of
    what lies in it), or one message."""

    __slots__ = ("_end", "fid", "mid", "session", "types", "whole")
    kind = On.SUBSCRIPTION

    def __init__(
        self, session: "Session", logon: Logon, types: Type, *, whole: bool, fid: int = 0, mid: int = 0
    ) -> None:
        self.session, self.logon, self.types = session, logon, types
        self.whole, self.fid, self.mid = whole, fid, mid
        self._end: Callable[[], None] = _nothing

    def begin(self) -> None:
        """Listen. On the loop's thread."""
        hub = self.session.engine.hub
        self._end = hub.listen(self.logon.mailbox, Listener(self.logon.actor, self._told))

    def close(self) -> None:
        self._end()
        self._end = _nothing

    def wants(self, event: Event) -> bool:
        """Whether an event is of a kind and within the scope that was asked for."""
        if not event.type & self.types:
            return False
        if self.whole:
            return True
        if self.mid:
            return self.mid in (event.mid, event.old_mid)
        return self.fid in event.folders()

    def _told(self, events: list[Event]) -> None:
        for event in filter(self.wants, events):
            notify(self.session, self, event.data(unicode=not self.session.cached))


def notify(session: "Session", target: Object, data: NotificationData) -> None:
    """Queue a RopNotify for the object that it is about."""
    packed = Notify(session.handle_of(target), target.logon.id, data).pack()
    session.notices.add(bytes([ROP_NOTIFY]) + packed)


def _nothing() -> None:
    """There is nothing to end."""
