"""Which processes serve a data directory: each writes `DIR/run/PID.json` and holds a lock on it.

The lock ends with the process, however it ends, so a file without a lock is the trace of a crash.
"""

import contextlib
import fcntl
import json
import os
from pathlib import Path
from typing import Any

from appliance.net.announce import run_directory

SUFFIX = ".json"


class Presence:
    """This process's entry."""

    def __init__(self, data: Path, facts: dict[str, Any]) -> None:
        self._path = run_directory(data) / f"{os.getpid()}{SUFFIX}"
        self._file = self._path.open("w", encoding="utf-8")
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        json.dump({"pid": os.getpid(), **facts}, self._file)
        self._file.flush()

    def close(self) -> None:
        """Take the entry away."""
        self._path.unlink(missing_ok=True)
        self._file.close()


def present(data: Path) -> list[dict[str, Any]]:
    """The entries of processes that run now; traces of dead ones are removed."""
    found = []
    for path in sorted((data / "run").glob("*" + SUFFIX)):
        with contextlib.suppress(OSError, ValueError), path.open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                found.append(json.load(file))
            else:
                path.unlink(missing_ok=True)
    return found
