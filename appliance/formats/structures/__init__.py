"""What was rendered from a message once (ENVELOPE, BODYSTRUCTURE, the table of parts), packed for the store.

    codec = Codec(dictionary)
    row = codec.pack((envelope, bodystructure, scan))
    codec.pieces(rows, Piece.ENVELOPE)       # that piece of each row
    codec.judge(rows, SUBJECT, b"word")      # a verdict for each row

A row is u8 FORM, the lengths of the three pieces as varints (LEB128), and one LZ4 block of the pieces in that
order, which refers back into a dictionary that is known beforehand. Such a block of a few hundred bytes takes
less room than zstd's (no header, no checksum, no tables of its own), and a tenth of the time. Rows that begin
otherwise are not ours: their pieces are None and their verdicts unknown.

The codec in use is `native/structures`; `reference` is its readable twin, which gives the same bytes and the
same errors at the same offsets. Its absence is an error at import.
"""

from appliance.formats.structures import _native
from appliance.formats.structures.layout import FORM, MOST, PROBLEMS, SUBJECT, Piece, Verdict, header
from appliance.wire.errors import DecodeError

__all__ = ["FORM", "MOST", "SUBJECT", "Codec", "Piece", "Verdict"]

Rows = list[bytes | None]


class Codec:
    """Packs and unpacks with one dictionary (65,535 bytes at most). Thread-safe."""

    __slots__ = ("dictionary",)

    def __init__(self, dictionary: bytes) -> None:
        self.dictionary = _native.dictionary(dictionary)
        """What native code takes."""

    def pack(self, pieces: tuple[bytes, bytes, bytes]) -> bytes:
        """A row. Raises OverflowError when the pieces have more than MOST bytes together."""
        return header(pieces) + self.compress(b"".join(pieces))

    def compress(self, data: bytes) -> bytes:
        """The block of up to MOST bytes. Raises OverflowError."""
        return _native.compress(self.dictionary, data)

    def decompress(self, block: bytes, size: int, wanted: int | None = None) -> bytes:
        """The first `wanted` of the `size` bytes that a block stands for. Raises DecodeError."""
        found = _native.decompress(self.dictionary, block, size, size if wanted is None else wanted)
        if isinstance(found, bytes):
            return found
        raise DecodeError(PROBLEMS[found[0]], found[1])

    def pieces(self, rows: Rows, piece: Piece) -> Rows:
        """A piece of each row; None for what is no row of FORM. Raises DecodeError with the offset in the
        row that is damaged."""
        found = _native.pieces(self.dictionary, rows, piece)
        if isinstance(found, list):
            return found
        raise DecodeError(PROBLEMS[found[0]], found[1])

    def judge(self, rows: Rows, member: int, key: bytes) -> bytes:
        """A `Verdict` for each row: whether the key, printable ASCII in lower case, stands in a member of
        the envelope as it is shown and without regard to case. `member` is SUBJECT or 2 to 7, the lists of
        addresses, shown as "name <mailbox@host>, ...". UNKNOWN where the member is not printable ASCII, has
        encoded words or groups, or where the row is damaged."""
        return _native.judge(self.dictionary, rows, member, key)
