"""MacBinary I, II and III: a header of 128 bytes, the data fork, the resource fork, the comment, each filled
up to 128 bytes. What is written is MacBinary III, which readers of II take."""

import binascii
import struct

from appliance.formats.macintosh.file import MAX_NAME, Chain, MacFile, Range
from appliance.mapi.objects import BytesContent, Content
from appliance.wire.errors import DecodeError

BLOCK = 128
_HEAD = struct.Struct(">B64p4s4sBB4s2sBBIIIIHB4sBB8sIHBBHH")
_SIGNATURE, _VERSION, _NEEDED = b"mBIN", 130, 129
_LONGEST = 0x7FFFFFFF


def parse(content: Content) -> MacFile:
    """The file in a content. Raises DecodeError for what is no MacBinary."""
    head = content.read(0, BLOCK)
    if len(head) < BLOCK:
        raise DecodeError("shorter than its header", len(head))
    (
        old, name, kind, creator, flags, zero, place, folder, protected, other, data, resource, created,
        modified, comment, low, _signature, _script, _extended, _unused, _total, second, version, needed,
        check, _reserved,
    ) = _HEAD.unpack(head)  # fmt: skip
    newer = check == binascii.crc_hqx(head[:124], 0) and version >= _NEEDED
    # Without a check sum it is MacBinary I, if nothing speaks against it.
    if old or zero or other or not 1 <= head[1] <= MAX_NAME or (newer and needed > _VERSION):
        raise DecodeError("no MacBinary header", 0)
    if max(data, resource) > _LONGEST or (not newer and any(head[99:124])):
        raise DecodeError("no MacBinary header", 83)
    start = BLOCK + (_padded(second) if newer else 0)
    behind = start + _padded(data)
    last = behind + _padded(resource)
    # The filling behind what comes last is often left out.
    if content.size < (behind + resource if resource else start + data):
        raise DecodeError("shorter than its forks", content.size)
    return MacFile(
        name=name,
        data=Range(content, start, data),
        resource=Range(content, behind, resource),
        type=kind,
        creator=creator,
        flags=flags << 8 | (low if newer else 0),
        place=place,
        folder=folder,
        protected=bool(protected & 1),
        created=created,
        modified=modified,
        comment=content.read(last, comment) if newer else b"",
    )


def build(file: MacFile) -> Content:
    """The stream of a file. Raises ValueError for a fork that is too long."""
    if max(file.data.size, file.resource.size) > _LONGEST:
        raise ValueError("a fork of 2 GB or more")
    head = _HEAD.pack(
        0, file.name[:MAX_NAME] or b"?", file.type, file.creator, file.flags >> 8, 0, file.place, file.folder,
        file.protected, 0, file.data.size, file.resource.size, file.created, file.modified,
        len(file.comment), file.flags & 0xFF, _SIGNATURE, 0, 0, b"", 0, 0, _VERSION, _NEEDED, 0, 0,
    )  # fmt: skip
    head = head[:124] + binascii.crc_hqx(head[:124], 0).to_bytes(2, "big") + bytes(2)
    parts: list[Content] = [BytesContent(head)]
    for each in (file.data, file.resource, BytesContent(file.comment)):
        parts += (each, BytesContent(bytes(_padded(each.size) - each.size)))
    return Chain(parts)


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
