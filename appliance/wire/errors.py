"""The two ways in which a codec fails.

DecodeError: bytes from outside do not have the form that their specification demands. It carries the offset
of the first byte that was refused and what was being read. EncodeError: a value of ours does not fit its
declared form; that is a fault of the caller, never of a peer.
"""


class WireError(ValueError):
    """Base of both. `what` was wrong in the field at `path` (names and indexes joined by dots)."""

    def __init__(self, what: str, path: str = "") -> None:
        super().__init__(what, path)
        self.what = what
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: {self.what}" if self.path else self.what


class DecodeError(WireError):
    """Refused bytes. `offset` counts from the start of the buffer that was handed to the decoder."""

    def __init__(self, what: str, offset: int, path: str = "") -> None:
        super().__init__(what, path)
        self.offset = offset

    def __str__(self) -> str:
        return f"{super().__str__()} at byte {self.offset}"

    def within(self, name: str) -> "DecodeError":
        """The same error, one level further out in the field path."""
        return DecodeError(self.what, self.offset, f"{name}.{self.path}" if self.path else name)

    def shifted(self, by: int) -> "DecodeError":
        """The same error, in terms of a buffer in which the refused one begins at `by`."""
        return DecodeError(self.what, self.offset + by, self.path)


class EncodeError(WireError):
    """A value that has no encoding under its declared type."""

    def within(self, name: str) -> "EncodeError":
        """The same error, one level further out in the field path."""
        return EncodeError(self.what, f"{name}.{self.path}" if self.path else name)
