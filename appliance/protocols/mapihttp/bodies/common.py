"""What the bodies of both endpoints are made of (MS-OXCMAPIHTTP 2.2.1, MS-OXCRPC 3.1.4)."""

from dataclasses import dataclass
from typing import Annotated, Any

from appliance.wire.cursor import Reader, Writer
from appliance.wire.fields import Codec, CountedBytes, UInt32
from appliance.wire.record import Record, as_codec

Auxiliary = Annotated[bytes, CountedBytes(4)]
"""AuxiliaryBufferSize and AuxiliaryBuffer: an extended buffer (MS-OXCRPC 3.1.4.1.1.1), or nothing."""

TRUE = 0xFF
"""What is written for the presence of a field. Every other byte than 0 is read as such."""


@dataclass(frozen=True, slots=True)
class Presence:
    """HasX and X: one byte that says whether there is a value, then the value. None where there is none."""

    codec: Codec

    def decode(self, reader: Reader) -> Any:
        """Takes the value, if there is one."""
        return self.codec.decode(reader) if reader.u8("presence") else None

    def encode(self, writer: Writer, value: Any) -> None:
        """Writes the value, or that there is none."""
        if value is None:
            writer.u8(0)
        else:
            writer.u8(TRUE)
            self.codec.encode(writer, value)


def optional(kind: Any) -> Presence:
    """Presence of a codec, or of a Record class."""
    return Presence(as_codec(kind))


class Failure(Record):
    """The failure response body of every request type (2.2.4.1.3 and its likes): `status_code` is not 0."""

    status_code: UInt32
    auxiliary: Auxiliary = b""
