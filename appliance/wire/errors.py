"""The two ways in which a codec fails.

DecodeError: bytes from outside do not have the form that their specification demands. It carries the offset
of the first byte that was refused and what was being read. EncodeError: a value of ours does not fit its
declared form; that is a fault of the caller, never of a peer.
"""


class WireError(ValueError):
    """Base of both, so that a caller who forwards either needs one except clause."""


class DecodeError(WireError):
    """Refused bytes. `offset` counts from the start of the buffer that was handed to the decoder."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(what, offset)
        self.what = what
        self.offset = offset

    def __str__(self) -> str:
        return f"{self.what} at byte {self.offset}"

    def within(self, name: str) -> "DecodeError":
        """The same error, one level further out: `name` is put before the field path."""
        return DecodeError(f"{name}.{self.what}", self.offset)

    def shifted(self, by: int) -> "DecodeError":
        """The same error, in terms of a buffer in which the refused one begins at `by`."""
        return DecodeError(self.what, self.offset + by)


class EncodeError(WireError):
    """A value that has no encoding under its declared type."""
