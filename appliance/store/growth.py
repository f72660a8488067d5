"""Makes the store's file longer before it has to be.

A commit that makes its file longer has the file system write its journal too, and wait for it: every second
commit of a single message. Zeros that were written ahead of need make it one in a hundred. A mere
reservation does not help: the first bytes in a reserved block are a change for the journal as well.

Invariants:
- Only who holds the write transaction, and has written nothing in it yet, makes the file longer: nobody else
  writes to it then, so that nothing but its end is touched.
- What grows by much in each commit is left alone: its bytes would be written twice for nothing.
- What cannot be written is not missed: the commit will find out.
"""

import contextlib
import os
from pathlib import Path

STEP = 256 << 10
"""Bytes by which the file grows ahead."""

LEAST = 32 << 10
"""Bytes behind the last page below which it grows."""

MOST = 32 << 10
"""Bytes of growth in one commit above which it does not."""


class Growth:
    """Of one open file. Not thread-safe: for the writer."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        self._size = 0  # at least so long is the file
        self._used = -1

    def ahead(self, used: int) -> None:
        """A write transaction begins, and `used` bytes of the file hold pages."""
        grown, self._used = used - self._used if self._used >= 0 else 0, used
        if not 0 < grown <= MOST or self._size - used >= LEAST:
            return
        self._size = os.fstat(self._file).st_size
        if self._size - used < LEAST:
            with contextlib.suppress(OSError):
                self._size += os.pwrite(self._file, bytes(STEP), self._size)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
