"""Fuzz target of LZ77: the twins agree on what they decompress, and what was compressed comes back."""

from appliance.formats import lz77
from appliance.formats.lz77 import reference
from appliance.wire.errors import DecodeError
from tests.fuzz.runner import Target

_SIZE = 4096


def _outcome(codec: object, data: bytes, size: int) -> bytes | tuple[str, int]:
    try:
        found: bytes = codec.decompress(data, size)  # type: ignore[attr-defined]
    except DecodeError as error:
        return error.what, error.offset
    return found


def both_ways(data: bytes) -> None:
    """The first two bytes are the announced size."""
    size = int.from_bytes(data[:2], "little") % _SIZE
    assert _outcome(lz77, data[2:], size) == _outcome(reference, data[2:], size)
    packed = lz77.compress(data)
    assert lz77.decompress(packed, len(data)) == data
    assert lz77.obfuscate(lz77.obfuscate(data)) == data


def _seeds() -> list[bytes]:
    texts = (b"abc" * 100, b"\0" * 2000, bytes(range(256)) * 2, b"the same again, " * 40)
    return [(len(text)).to_bytes(2, "little") + lz77.compress(text) for text in texts]


LZ77_TARGETS = (Target("lz77", both_ways, _seeds, ()),)
