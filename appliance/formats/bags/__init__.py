"""Packed property bags: what every row of the store is made of.

Layout, all numbers little-endian:

    byte 0          version, 1
    byte 1          width of an end offset in bytes: 2, or 4 when the values take more than 65,535 bytes
    bytes 2-3       number of properties N
    4 * N           property tags, strictly ascending
    width * N       where each value ends, counted from the start of the values
    the values      back to back, without padding

A value's length is the difference of two ends, so fixed-size values stand there bare: Boolean 1 byte,
Integer16 2, Integer32, Floating32 and ErrorCode 4, Integer64, Currency, Floating64, FloatingTime and Time 8,
Guid 16. String is UTF-8 (lone surrogates pass), Binary, ServerId, Object, Restriction, RuleAction are bytes,
Null is empty. Multi-values of fixed size are their values back to back; those of varying size are a 32-bit
count, that many 32-bit ends, then the values. There is one packed form for each bag: equal bags, equal bytes.

Errors: `pack` raises EncodeError for a value that does not fit its tag's type; everything that reads raises
DecodeError with the offset. `get` looks only at what it needs, so it may succeed on a row that `unpack`
refuses. `reference` is the readable twin of the C in `native/bags`; the C is the one in use, and its absence
is an import error.
"""

from appliance.formats.bags._native import get, get_many, pack, tags, unpack

__all__ = ["get", "get_many", "pack", "tags", "unpack"]
