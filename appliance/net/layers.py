"""What may lie between the socket and a protocol: TLS and DEFLATE, as functions of bytes.

Both are sans-I/O: bytes go in, bytes come out, the connection moves them. Neither ever produces more than
about what it was given at once: inflating stops at INFLATE_STEP bytes and goes on when it is asked again.
A peer that breaks the layer raises PeerGone.
"""

import contextlib
import ssl
import zlib

from appliance.net.errors import PeerGone

RECORD = 16384
"""Bytes of plain text in one TLS record, at most (RFC 8446 5.1)."""

INFLATE_STEP = 65536
"""Bytes that one step of inflating may produce."""

# RFC 4978 3: the peer may use the full window, we need not: 32 KiB of state instead of 256.
_DEFLATE_BITS = -12
_DEFLATE_MEMORY = 5
_INFLATE_BITS = -15


class TlsLayer:
    """The server's side of a TLS session."""

    __slots__ = ("_in", "_object", "_out", "ended", "established")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._in, self._out, server_side=True)
        self.established = False
        """Whether the handshake is done."""
        self.ended = False
        """Whether the peer said that it will send no more (close_notify)."""

    def receive(self, data: bytes) -> bytes:
        """Take bytes of the socket, give the plain text. There may be something to send afterwards."""
        self._in.write(data)
        pieces = []
        try:
            if not self.established:
                self._object.do_handshake()
                self.established = True
            while piece := self._object.read(RECORD):
                pieces.append(piece)
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        except ssl.SSLError as error:
            raise PeerGone(f"TLS: {error.reason or error}") from error
        return b"".join(pieces)

    def encrypt(self, data: bytes) -> bytes:
        """Plain text as bytes for the socket, with what else is to be sent."""
        try:
            self._object.write(data)
        except ssl.SSLError as error:
            raise PeerGone(f"TLS: {error.reason or error}") from error
        return self._out.read()

    def pending(self) -> bytes:
        """What the layer itself has to send (handshake, alerts)."""
        return self._out.read()

    def close(self) -> bytes:
        """The close_notify to send as the last bytes."""
        with contextlib.suppress(ssl.SSLError):  # the peer's own close_notify is not waited for
            self._object.unwrap()
        return self._out.read()

    def version(self) -> str:
        """As TLSv1.3."""
        return self._object.version() or ""

    def cipher(self) -> str:
        """Name of the cipher suite."""
        found = self._object.cipher()
        return found[0] if found else ""


class DeflateLayer:
    """COMPRESS=DEFLATE in both directions (RFC 4978)."""

    __slots__ = ("_deflate", "_inflate", "_rest", "waiting")

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(
            level=6, method=zlib.DEFLATED, wbits=_DEFLATE_BITS, memLevel=_DEFLATE_MEMORY
        )
        self._inflate = zlib.decompressobj(_INFLATE_BITS)
        self._rest = b""
        self.waiting = False
        """Whether there may be more to inflate of what was given."""

    def receive(self, data: bytes) -> bytes:
        """Take compressed bytes, give at most INFLATE_STEP bytes; `waiting` says whether to ask again."""
        try:
            out = self._inflate.decompress(self._rest + data, INFLATE_STEP)
        except zlib.error as error:
            raise PeerGone(f"DEFLATE: {error}") from error
        self._rest = self._inflate.unconsumed_tail
        self.waiting = len(out) == INFLATE_STEP  # with all input taken, some output may still be inside
        if self._inflate.eof:
            raise PeerGone("DEFLATE: the stream ended")
        return out

    def compress(self, data: bytes) -> bytes:
        """Everything the peer needs to see `data` now."""
        return self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
