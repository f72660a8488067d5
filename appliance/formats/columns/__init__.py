"""Columns of packed records: numbers read out of them, keys and lines of text made of them, in batches.

    numbers(records, offset, size)              # a field of each record: unsigned, little-endian
    keys(before, numbers, after)                # before + u64 big-endian + after, for each number
    lines(steps, serials, records, columns)     # one text: the steps in turn for each record

A record is bytes of a fixed layout that may end in a text. Steps are made by the functions of `steps`; an
IMAP reply to FETCH is a dozen of them. The codec in use is `native/columns`, which makes a line in a tenth of
a microsecond and without the interpreter's lock; `reference` is its readable twin. Its absence is an error at
import.
"""

from appliance.formats.columns import _native
from appliance.formats.columns.steps import CUT_SHORT, Step
from appliance.formats.structures import Codec
from appliance.wire.errors import DecodeError

__all__ = ["Step", "keys", "lines", "numbers"]

keys = _native.keys
Column = list[bytes] | list[bytes | None]


def numbers(records: list[bytes], offset: int, size: int) -> list[int]:
    """The field of `size` bytes (1 to 8) at `offset` of each record. Raises DecodeError whose offset is the
    index of a record that is too short."""
    found = _native.numbers(records, offset, size)
    if isinstance(found, int):
        raise DecodeError(CUT_SHORT, found)
    return found


def lines(
    steps: tuple[Step, ...],
    serials: list[int],
    records: list[bytes],
    columns: tuple[Column, ...] = (),
    codec: Codec | None = None,
) -> bytes | None:
    """The lines of all records. `serials` and each of `columns` have an entry for each record. None when a
    structure cannot be unpacked by `codec` because it is of another form, or damaged. Raises DecodeError
    whose offset is the index of a record that is too short."""
    found = _native.lines(steps, serials, records, columns, codec.dictionary if codec is not None else None)
    if isinstance(found, int):
        raise DecodeError(CUT_SHORT, found)
    return found
