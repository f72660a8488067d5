"""TypedString (MS-OXCDATA 2.11.7): a string behind a byte that says how it is written."""

from enum import IntEnum

from appliance.mapi import codepages
from appliance.wire.cursor import Reader, Writer
from appliance.wire.errors import DecodeError


class Kind(IntEnum):
    """StringType."""

    NONE = 0x00
    EMPTY = 0x01
    STRING8 = 0x02
    REDUCED = 0x03
    """Unicode whose code units all have a high byte of zero, which is left out."""
    UNICODE = 0x04


class TypedStringCodec:
    """None, or a string; written in the shortest form."""

    def decode(self, reader: Reader) -> str | None:
        """Takes the string."""
        at = reader.pos
        kind = reader.u8("string type")
        if kind == Kind.NONE:
            return None
        if kind == Kind.EMPTY:
            return ""
        if kind == Kind.STRING8:
            return codepages.decode(reader.nul_bytes(), codepages.DEFAULT)
        if kind == Kind.REDUCED:
            return reader.nul_bytes().decode("latin-1")
        if kind == Kind.UNICODE:
            return reader.nul_utf16()
        raise DecodeError(f"string type 0x{kind:02X}", at)

    def encode(self, writer: Writer, value: str | None) -> None:
        """Writes the string, up to a zero in it."""
        if not value:
            writer.u8(Kind.NONE if value is None else Kind.EMPTY)
            return
        value = value.partition("\0")[0]
        try:
            data = value.encode("latin-1")
        except UnicodeEncodeError:
            writer.u8(Kind.UNICODE)
            writer.nul_utf16(value)
        else:
            writer.u8(Kind.REDUCED)
            writer.nul_bytes(data)


TYPED_STRING = TypedStringCodec()
