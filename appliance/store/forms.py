"""Forms in which bytes are stored: as they are, or compressed, with the dictionary of mail or without.

What is up to DICTIONARY_MOST bytes is compressed with the dictionary when that is smaller (form 2).
Structures of that size are rows of `formats.structures` with the same dictionary (form 3); larger ones, and
those that older releases stored, have the forms of chunks. The dictionary is part of the store's format:
another one is another form. What cannot be unpacked raises StoreError.
"""

import threading
from enum import IntEnum
from pathlib import Path

import zstandard

from appliance.store.errors import StoreError

Raw = bytes | bytearray | memoryview


class Form(IntEnum):
    """The forms. Numbers are part of the store's format."""

    RAW = 0
    ZSTD = 1
    ZSTD_MAIL = 2


DICTIONARY_MOST = 32768
"""Bytes of what is compressed with the dictionary: it hardly helps anything longer."""

DICTIONARY = Path(__file__).with_name("mail.dictionary").read_bytes()
"""The dictionary of mail."""

_LEVEL = 3
_DICTIONARY = zstandard.ZstdCompressionDict(DICTIONARY)

_TOGETHER = 4
"""Chunks that are worth one call of the decompressor together."""

_local = threading.local()


def _compressor() -> zstandard.ZstdCompressor:
    made: zstandard.ZstdCompressor | None = getattr(_local, "compressor", None)
    if made is None:
        made = _local.compressor = zstandard.ZstdCompressor(
            level=_LEVEL, write_content_size=True, write_checksum=True, write_dict_id=False
        )
    return made


def _mail_compressor() -> zstandard.ZstdCompressor:
    made: zstandard.ZstdCompressor | None = getattr(_local, "mail_compressor", None)
    if made is None:
        made = _local.mail_compressor = zstandard.ZstdCompressor(
            level=_LEVEL,
            dict_data=_DICTIONARY,
            write_content_size=True,
            write_checksum=True,
            write_dict_id=False,
        )
    return made


def _decompressor() -> zstandard.ZstdDecompressor:
    made: zstandard.ZstdDecompressor | None = getattr(_local, "decompressor", None)
    if made is None:
        made = _local.decompressor = zstandard.ZstdDecompressor()
    return made


def _mail_decompressor() -> zstandard.ZstdDecompressor:
    made: zstandard.ZstdDecompressor | None = getattr(_local, "mail_decompressor", None)
    if made is None:
        made = _local.mail_decompressor = zstandard.ZstdDecompressor(dict_data=_DICTIONARY)
    return made


def pack(raw: Raw) -> tuple[int, Raw]:
    """The form that takes the least room, and the bytes in it."""
    if len(raw) <= DICTIONARY_MOST:
        form, packed = Form.ZSTD_MAIL, _mail_compressor().compress(raw)
    else:
        form, packed = Form.ZSTD, _compressor().compress(raw)
    return (form, packed) if len(packed) < len(raw) else (Form.RAW, raw)


def unpack(form: int, stored: bytes | memoryview, limit: int) -> bytes:
    """The bytes that are stored in a form, `limit` at most. Raises StoreError."""
    try:
        match form:
            case Form.RAW:
                return bytes(stored)
            case Form.ZSTD:
                return _decompressor().decompress(stored, max_output_size=limit)
            case Form.ZSTD_MAIL:
                return _mail_decompressor().decompress(stored, max_output_size=limit)
    except zstandard.ZstdError as error:
        raise StoreError(f"stored bytes are damaged: {error}") from error
    raise StoreError(f"bytes in an unknown form {form}")


def squeeze(raw: Raw) -> bytes:
    """The form (a byte) that takes the least room, and the bytes in it."""
    form, packed = pack(raw)
    return bytes([form]) + packed


def expand(stored: bytes, limit: int) -> bytes:
    """What was squeezed, `limit` bytes at most. Raises StoreError."""
    return unpack(stored[0], memoryview(stored)[1:], limit)


def expand_many(stored: list[bytes], limit: int) -> list[bytes]:
    """The same of many, those of a form together: without the interpreter's lock, and a third faster."""
    made: dict[int, bytes] = {}
    for form, decompressor in ((Form.ZSTD, _decompressor()), (Form.ZSTD_MAIL, _mail_decompressor())):
        places = [index for index, each in enumerate(stored) if each[:1] == bytes([form])]
        if len(places) < _TOGETHER:
            continue
        try:
            found = decompressor.multi_decompress_to_buffer([memoryview(stored[i])[1:] for i in places])
        except (zstandard.ZstdError, ValueError) as error:
            raise StoreError(f"stored bytes are damaged: {error}") from error
        for at, index in enumerate(places):
            made[index] = found[at].tobytes()
    return [made[index] if index in made else expand(each, limit) for index, each in enumerate(stored)]
