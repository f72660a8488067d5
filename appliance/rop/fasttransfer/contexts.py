"""What handles of downloads stand for (MS-OXCFXICS 3.2.1): FastTransfer and synchronisation contexts."""

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.fasttransfer.stream import Stream
from appliance.rop.ics.download import Download
from appliance.rop.ics.state import State, Uploading
from appliance.rop.model import On
from appliance.rop.objects import Logon, Object


class DownloadContext(Object):
    """A stream that RopFastTransferSourceGetBuffer reads."""

    __slots__ = ("_stream", "version")
    kind = On.DOWNLOAD

    def __init__(self, logon: Logon, stream: Stream | None) -> None:
        self.logon = logon
        self._stream = stream
        self.version: tuple[int, ...] | None = None
        """The other server's version, once RopTellVersion has told it."""

    def stream(self) -> Stream:
        """The stream."""
        assert self._stream is not None
        return self._stream


class SyncContext(DownloadContext):
    """A synchronisation download. The state is uploaded first; the first buffer closes that."""

    __slots__ = ("download", "hierarchy", "uploading")

    def __init__(self, logon: Logon, download: Download, *, hierarchy: bool) -> None:
        super().__init__(logon, None)
        self.download, self.hierarchy = download, hierarchy
        self.uploading = Uploading()

    def require_upload(self) -> Uploading:
        """The upload of the state. Raises ecNotSupported once the download has begun."""
        if self._stream is not None:
            raise MapiError(ec.ecNotSupported)
        return self.uploading

    def stream(self) -> Stream:
        """The stream; it begins with the state as it was uploaded. Raises ecNotInitialized while a property
        of the state is only half there."""
        if self._stream is None:
            if self.uploading.is_open:
                raise MapiError(ec.ecNotInitialized)
            download = self.download
            download.state = self.uploading.state
            pieces = download.hierarchy() if self.hierarchy else download.contents()
            self._stream = Stream(pieces, download.progress)
        return self._stream

    def state(self) -> State:
        """The checkpoint state: the initial one until everything was given out, then the final one
        (3.2.5.9.3.1)."""
        if self._stream is not None and self._stream.is_done and self.download.final is not None:
            return self.download.final
        return self.uploading.state
