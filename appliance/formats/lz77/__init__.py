"""Plain LZ77 and the obfuscation of MAPI's extended buffers (MS-XCA 2.3, 2.4; MS-OXCRPC 3.1.4.1.1).

    packed = compress(data)
    data = decompress(packed, size)      # DecodeError unless it gives exactly `size` bytes
    hidden = obfuscate(data)             # and back

The codec in use is `native/lz77`; `reference` is its readable twin, which gives the same bytes and the same
errors at the same offsets. Its absence is an error at import.
"""

from appliance.formats.lz77 import _native
from appliance.formats.lz77.problems import PROBLEMS
from appliance.wire.errors import DecodeError

compress = _native.compress
obfuscate = _native.obfuscate

__all__ = ["compress", "decompress", "obfuscate"]


def decompress(data: bytes | bytearray | memoryview, size: int) -> bytes:
    """The `size` bytes that `data` stands for. The caller bounds `size`. Raises DecodeError."""
    found = _native.decompress(data, size)
    if isinstance(found, bytes):
        return found
    status, offset = found
    raise DecodeError(PROBLEMS[status], offset)
