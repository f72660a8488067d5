"""AppleSingle and AppleDouble (RFC 1740 appendix A and B): entries with an id each, the data fork among them
or, with AppleDouble, in a file of its own."""

import struct
from dataclasses import replace

from appliance.formats.macintosh.file import EMPTY, MAX_NAME, Chain, MacFile, Range
from appliance.mapi.objects import BytesContent, Content
from appliance.wire.errors import DecodeError

SINGLE, DOUBLE = 0x00051600, 0x00051607
MAX_ENTRIES = 64
MAX_SMALL = 4096
"""Bytes of a name or comment that are read, at most."""

_VERSIONS = (0x00010000, 0x00020000)
_HEAD, _ENTRY = struct.Struct(">II16sH"), struct.Struct(">III")
_DATA, _RESOURCE, _NAME, _COMMENT, _DATES, _FINDER, _MACINTOSH = 1, 2, 3, 4, 8, 9, 10
_FINDER_INFO = struct.Struct(">4s4sH4s2s16x")
_SINCE_1904 = 3029529600
"""Seconds from 1904 to 2000, from which AppleSingle counts."""

_UNKNOWN_DATE = -(1 << 31)


def parse(content: Content) -> MacFile:
    """The file in a content; AppleDouble has an empty data fork. Raises DecodeError for what is neither."""
    magic, version, _, count = _HEAD.unpack(_exactly(content, 0, _HEAD.size))
    if magic not in (SINGLE, DOUBLE) or version not in _VERSIONS or count > MAX_ENTRIES:
        raise DecodeError("no AppleSingle or AppleDouble header", 0)
    table = _exactly(content, _HEAD.size, count * _ENTRY.size)
    found: dict[int, Range] = {}
    for id, offset, length in _ENTRY.iter_unpack(table):
        if offset + length > content.size:
            raise DecodeError(f"entry {id} lies outside", offset)
        found.setdefault(id, Range(content, offset, length))
    small = {id: entry.read(0, MAX_SMALL) for id, entry in found.items() if id not in (_DATA, _RESOURCE)}
    file = MacFile(
        name=small.get(_NAME, b"")[:MAX_NAME],
        data=found.get(_DATA, EMPTY),
        resource=found.get(_RESOURCE, EMPTY),
        comment=small.get(_COMMENT, b"")[:200],
        protected=bool(int.from_bytes(small.get(_MACINTOSH, b"")[:4], "big") & 1),
    )
    return _with_dates(_with_finder(file, small.get(_FINDER, b"")), small.get(_DATES, b""))


def _with_finder(file: MacFile, data: bytes) -> MacFile:
    if len(data) < _FINDER_INFO.size:
        return file
    kind, creator, flags, place, folder = _FINDER_INFO.unpack_from(data)
    return replace(file, type=kind, creator=creator, flags=flags, place=place, folder=folder)


def _with_dates(file: MacFile, data: bytes) -> MacFile:
    if len(data) < 8:
        return file
    created, modified = (
        0 if since == _UNKNOWN_DATE else (since + _SINCE_1904) % (1 << 32)
        for since in struct.unpack_from(">ii", data)
    )
    return replace(file, created=created, modified=modified)


def double(file: MacFile) -> Content:
    """The AppleDouble header of a file: all but its data fork."""
    dates = [_date(file.created), _date(file.modified), _UNKNOWN_DATE, _UNKNOWN_DATE]
    finder = _FINDER_INFO.pack(file.type, file.creator, file.flags, file.place, file.folder)
    entries: list[tuple[int, Content]] = [
        (_NAME, BytesContent(file.name)),
        (_COMMENT, BytesContent(file.comment)),
        (_DATES, BytesContent(struct.pack(">4i", *dates))),
        (_FINDER, BytesContent(finder)),
        (_MACINTOSH, BytesContent(int(file.protected).to_bytes(4, "big"))),
        (_RESOURCE, file.resource),
    ]
    entries = [(id, entry) for id, entry in entries if entry.size]
    head = _HEAD.pack(DOUBLE, _VERSIONS[1], b"", len(entries))
    offset = len(head) + _ENTRY.size * len(entries)
    for id, entry in entries:
        head += _ENTRY.pack(id, offset, entry.size)
        offset += entry.size
    return Chain([BytesContent(head), *(entry for _, entry in entries)])


def _date(seconds: int) -> int:
    return max(seconds - _SINCE_1904, _UNKNOWN_DATE) if seconds else _UNKNOWN_DATE


def _exactly(content: Content, offset: int, length: int) -> bytes:
    data = content.read(offset, length)
    if len(data) != length:
        raise DecodeError("shorter than its header", offset + len(data))
    return data
