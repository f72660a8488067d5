"""Log lines for journald: a message and `key=value` fields; nothing secret, no floods.

`event` is how services write lines. Values are bounded, quoted where they need it, and stripped of control
characters, so that a peer cannot forge a line; fields whose names speak of secrets are never written.
`Quiet` keeps what strangers can provoke to one line for each address, message and minute, then a count.
"""

import asyncio
import logging
import os
import re
import sys
import time
from typing import TextIO

MAX_VALUE = 200
MAX_KEYS = 4096
INTERVAL = 60.0
"""Seconds within which a line about the same address is not repeated."""

REDACTED = "***"
_SECRET = re.compile(r"pass|secret|token|hash|credential|cookie|authorization|response", re.IGNORECASE)
_PLAIN = re.compile(r"[!#-<>-\[\]-~]+")

_PRIORITIES = {
    logging.DEBUG: "<7>",
    logging.INFO: "<6>",
    logging.WARNING: "<4>",
    logging.ERROR: "<3>",
    logging.CRITICAL: "<2>",
}


def event(logger: logging.Logger, level: int, message: str, **fields: object) -> None:
    """Write a line: `message key=value ...`."""
    if logger.isEnabledFor(level):
        logger.log(level, "%s", " ".join([message, *_fields(fields)]))


def _fields(fields: dict[str, object]) -> list[str]:
    return [f"{name}={_value(name, value)}" for name, value in fields.items() if value is not None]


def _value(name: str, value: object) -> str:
    if _SECRET.search(name):
        return REDACTED
    text = str(value)
    if len(text) > MAX_VALUE:
        text = text[:MAX_VALUE] + "..."
    if _PLAIN.fullmatch(text):
        return text
    return '"' + "".join(_shown(char) for char in text) + '"'


def _shown(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    return char if char.isprintable() else f"\\u{ord(char):04x}"


class Lines(logging.Formatter):
    """Time (unless journald adds it), level, logger, message; an exception's traceback in the same line."""

    def __init__(self, journal: bool) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        name = record.name.removeprefix("appliance.")
        line = f"{record.levelname.lower()} {name}: {record.getMessage()}"
        if record.exc_info:
            line += " trace=" + _trace(self.formatException(record.exc_info))
        if record.stack_info:
            line += " stack=" + _trace(record.stack_info)
        line = line.replace("\n", "\\n").replace("\r", "\\r")
        if self._journal:
            return _PRIORITIES.get(record.levelno, "<6>") + line
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        return f"{moment}.{int(record.msecs):03d}Z {line}"


def _trace(text: str) -> str:
    return '"' + text.strip().replace('"', "'") + '"'


def set_up(level: str, stream: TextIO | None = None) -> None:
    """Send the log to `stream` (default stderr), from `level` (a name in lower case) on."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines(journal="JOURNAL_STREAM" in os.environ))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    if root.level > logging.DEBUG:
        logging.getLogger("asyncio").setLevel(logging.WARNING)


class Quiet:
    """Lines that strangers provoke: one for each address, message and minute, then a count."""

    def __init__(self, logger: logging.Logger, loop: asyncio.AbstractEventLoop) -> None:
        self._logger, self._loop = logger, loop
        self._repeats: dict[tuple[str, str], int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def line(self, level: int, message: str, *, peer: str, **fields: object) -> None:
        """Write the line, or count it."""
        key = (peer, message)
        seen = self._repeats.get(key)
        if seen is None and len(self._repeats) >= MAX_KEYS:
            key = ("", "lines about further addresses")
            seen = self._repeats.get(key, 0)
        self._repeats[key] = 0 if seen is None else seen + 1
        if seen is None:
            event(self._logger, level, message, peer=peer, **fields)
        if self._timer is None:
            self._timer = self._loop.call_later(INTERVAL, self.flush)

    def flush(self) -> None:
        """Write the counts and begin anew."""
        self._timer = None
        repeats, self._repeats = self._repeats, {}
        for (peer, message), count in repeats.items():
            if count:
                event(self._logger, logging.INFO, message, peer=peer or None, repeated=count)
