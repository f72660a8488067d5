"""Small property values as contents that streams read."""

from dataclasses import dataclass

from appliance.mapi.types import Value


@dataclass(frozen=True, slots=True)
class BytesContent:
    """A small value as `Content`."""

    data: bytes

    @property
    def size(self) -> int:
        """As `Content`."""
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        """As `Content`."""
        return self.data[offset : offset + length]


def content_of(value: Value) -> BytesContent | None:
    """The bytes of a string (as UTF-8) or binary value; None for others."""
    if isinstance(value, str):
        return BytesContent(value.encode("utf-8", "surrogatepass"))
    return BytesContent(value) if isinstance(value, bytes) else None
