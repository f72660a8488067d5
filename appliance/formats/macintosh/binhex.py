"""BinHex 4.0 (RFC 1741): six bits a character, runs of bytes shortened, each part with a check sum."""

import binascii
import re
import struct
from collections.abc import Iterator

from appliance.formats.macintosh.file import MAX_NAME, MacFile
from appliance.mapi.objects import BytesContent
from appliance.wire.errors import DecodeError

MAX_SIZE = 32 << 20
"""Bytes of what is decoded, at most."""

_ALPHABET = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_BASE64 = bytes.maketrans(_ALPHABET, _BASE64)
_SPACE = b"\r\n\t "
_TEXT = re.compile(rb"must be converted[^\r\n]*[\r\n]\s*:([^:]*):")
"""Programs differ in the rest of the line."""

_RUN = 0x90
_REST = struct.Struct(">B4s4sHIIH")


def decode(text: bytes) -> MacFile:
    """The file in a text. Raises DecodeError for what is no BinHex, too long, or fails a check sum."""
    found = _TEXT.search(text)
    if found is None:
        raise DecodeError("no BinHex text", 0)
    data = _expanded(_six_bits(found[1].translate(None, _SPACE)))
    length = data[0] if data else 0
    head = 1 + length + _REST.size
    if not 1 <= length <= MAX_NAME or len(data) < head:
        raise DecodeError("no BinHex header", 0)
    _, kind, creator, flags, size, resources, check = _REST.unpack_from(data, 1 + length)
    _compare(data[: head - 2], check, 0)
    at = head + size + 2
    if len(data) < at + resources + 2:
        raise DecodeError("shorter than its forks", len(data))
    fork, resource = data[head : head + size], data[at : at + resources]
    _compare(fork, int.from_bytes(data[at - 2 : at], "big"), head)
    _compare(resource, int.from_bytes(data[at + resources : at + resources + 2], "big"), at)
    return MacFile(
        name=data[1 : 1 + length],
        data=BytesContent(fork),
        resource=BytesContent(resource),
        type=kind,
        creator=creator,
        flags=flags,
    )


def _compare(data: bytes, check: int, at: int) -> None:
    if binascii.crc_hqx(data, 0) != check:
        raise DecodeError("a check sum is wrong", at)


def _six_bits(text: bytes) -> bytes:
    if text.translate(None, _ALPHABET):
        raise DecodeError("a character that BinHex does not have", 0)
    # The last character may hold fewer than six bits; what is left of a byte is filling.
    text = text[: len(text) - (len(text) % 4 == 1)]
    return binascii.a2b_base64(text.translate(_TO_BASE64) + b"=" * (-len(text) % 4))


def _expanded(data: bytes) -> bytes:
    """Runs at length: 0x90 and a count repeat the byte before them, 0x90 and zero are 0x90."""
    out = bytearray()
    for literal, count in _runs(data):
        out += literal
        if count == 0:
            out.append(_RUN)
        elif count > 1:
            if not out:
                raise DecodeError("a run of nothing", 0)
            out += out[-1:] * (count - 1)
        if len(out) > MAX_SIZE:
            raise DecodeError("too long", MAX_SIZE)
    return bytes(out)


def _runs(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Bytes as they are, and how often the last of them stands there; 0 for a 0x90 that follows."""
    start = 0
    while (at := data.find(_RUN, start)) >= 0:
        yield data[start:at], data[at + 1] if at + 1 < len(data) else 1
        start = at + 2
    yield data[start:], 1
