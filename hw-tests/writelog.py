"""QEMU's log of every write and flush, and disks rebuilt from it as they may stand after a power cut.

The form is that of the kernel's dm-log-writes: a header, then entries of one sector each, with the data of
the write behind them. Before a flush is answered, everything that was written before it is on the disk; what
came after may be there or not, each write on its own.

A cut is a place in the log: all writes up to the last flush before it, and of those after that a random part.
"""

import random
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAGIC = 0x6A736677736872
_SUPER = struct.Struct("<QQQI")
_ENTRY = struct.Struct("<QQQQ")
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the log. `at` is where its data stands in the log, `end` where the next row begins."""

    sector: int
    sectors: int
    flags: int
    at: int
    end: int


def entries(log: Path) -> tuple[int, list[Entry]]:
    """The sector size and the rows of a log, as far as it is written whole."""
    size = log.stat().st_size
    found: list[Entry] = []
    with log.open("rb") as file:
        magic, _, _, sector = _SUPER.unpack(file.read(_SUPER.size))
        if magic != MAGIC:
            raise ValueError(f"{log} is no log of writes")
        at = sector
        while at + sector <= size:
            file.seek(at)
            start, sectors, flags, _ = _ENTRY.unpack(file.read(_ENTRY.size))
            if not flags and not sectors:
                break  # allocated, not written
            data = 0 if flags & DISCARD else sectors * sector
            if at + sector + data > size:
                break
            found.append(Entry(start, sectors, flags, at + sector, at + sector + data))
            at += sector + data
    return sector, found


class Rebuilder:
    """Brings a disk from its state before the log to states after. Cuts must be asked for in order.

    `begin`: the byte of the disk at which the file begins, when it is a partition of it; what is written
    elsewhere is left out then. No write crosses a partition's edge."""

    def __init__(self, log: Path, disk: Path, begin: int = 0) -> None:
        self.sector, self.rows = entries(log)
        self._begin = begin
        self._log, self._disk = log.open("rb"), disk.open("r+b")
        self._done = 0

    def flushed_before(self, cut: int) -> int:
        """The number of rows that are surely on the disk when the plug is pulled after `cut` rows."""
        for index in range(cut - 1, -1, -1):
            if self.rows[index].flags & FLUSH:
                return index + 1
        return 0

    def advance(self, cut: int) -> int:
        """Apply what is surely there; how many rows after that are open."""
        sure = self.flushed_before(cut)
        assert sure >= self._done, "cuts go forward"
        for row in self.rows[self._done : sure]:
            self._apply(row, self._disk)
        self._done = sure
        self._disk.flush()
        return cut - sure

    def lose(self, cut: int, disk: Path, rng: random.Random) -> int:
        """On a copy of the disk: a random part of the open rows, each of them whole or with a torn end; how
        many were kept."""
        kept = 0
        share = rng.random()
        with disk.open("r+b") as file:
            for row in self.rows[self._done : cut]:
                if rng.random() < share:
                    whole = row.flags & FUA or rng.random() < 0.9
                    self._apply(row, file, row.sectors if whole else rng.randrange(row.sectors + 1))
                    kept += 1
        return kept

    def _apply(self, row: Entry, file: BinaryIO, sectors: int | None = None) -> None:
        count = row.sectors if sectors is None else sectors
        place = row.sector * self.sector - self._begin
        if row.flags & MARK or not count or place < 0:
            return
        file.seek(place)
        if row.flags & DISCARD:
            for _ in range(count * self.sector >> 20):
                file.write(bytes(1 << 20))
            file.write(bytes((count * self.sector) & ((1 << 20) - 1)))
            return
        self._log.seek(row.at)
        file.write(self._log.read(count * self.sector))
