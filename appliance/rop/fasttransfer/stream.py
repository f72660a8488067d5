"""A download's stream: pieces from a producer, cut into buffers (MS-OXCFXICS 2.2.4.1, 3.2.5.8.1.5).

A producer is an iterator of bytes, each piece a sequence of whole atoms or a part of a big value; it holds no
transaction between two pieces. A `Stream` holds one buffer more than it gave out, never the whole.

After an error every further pull fails with the same error; after the end it gives nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from appliance.formats import fasttransfer as fx
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.codes import code_of


@dataclass(slots=True)
class Progress:
    """How far a producer is, in objects."""

    done: int = 0
    total: int = 0


class Portion(NamedTuple):
    """What one pull gave; `last` when the stream has ended with it."""

    data: bytes
    last: bool


class Stream:
    """One download."""

    def __init__(self, pieces: Iterator[bytes], progress: Progress | None = None) -> None:
        self._pieces = pieces
        self._buffer = bytearray()
        self._place = fx.START
        self._ended = False
        self._error: MapiError | None = None
        self.progress = progress if progress is not None else Progress()

    @property
    def is_done(self) -> bool:
        """Whether everything was given out."""
        return self._ended and not self._buffer

    def pull(self, limit: int) -> Portion:
        """The next portion, at most `limit` bytes. Raises ecBufferTooSmall when not even one atom fits (the
        stream goes on from there), and the producer's error as a MapiError, now and ever after."""
        if self._error is not None:
            raise self._error
        try:
            while not self._ended and len(self._buffer) <= limit:
                piece = next(self._pieces, None)
                if piece is None:
                    self._ended = True
                else:
                    self._buffer += piece
        except Exception as error:
            self._error = MapiError(code_of(error), str(error))
            raise self._error from error
        if self._ended and len(self._buffer) <= limit:
            data = bytes(self._buffer)
            self._buffer.clear()
            return Portion(data, True)
        window = bytes(self._buffer[:limit])
        end, self._place = fx.cut(window, 0, limit, self._place)
        if end == 0:
            raise MapiError(ec.ecBufferTooSmall)
        del self._buffer[:end]
        return Portion(window[:end], False)
