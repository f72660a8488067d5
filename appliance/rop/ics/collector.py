"""Synchronisation uploads: what a client brings, one object at a time (MS-OXCFXICS 2.2.3.2.4, 3.2.5.9.4).

A `Collector` is bound to a folder. Its state begins as the client uploaded it and grows with what was
imported, so that the client is not sent its own changes again.
"""

from appliance.mapi.idset import IdSet
from appliance.rop.ics.state import State, Uploading, add
from appliance.rop.model import On
from appliance.rop.objects import Logon, Object


class Collector(Object):
    """A synchronisation upload context. `contents`: of messages, not of folders."""

    __slots__ = ("contents", "fid", "uploading")
    kind = On.COLLECTOR

    def __init__(self, logon: Logon, fid: int, *, contents: bool) -> None:
        self.logon, self.fid, self.contents = logon, fid, contents
        self.uploading = Uploading()

    @property
    def state(self) -> State:
        """The state as it is now."""
        return self.uploading.state

    def imported(self, cn: int, *, associated: bool = False) -> None:
        """The client has this version of a message or folder, since it brought it."""
        add(self.state.seen_fai if associated else self.state.seen, cn)

    def read(self, cns: IdSet, gone: IdSet) -> None:
        """The client has these changes of read state; `gone` are no longer in its set."""
        self.state.read = (self.state.read | cns) - gone
