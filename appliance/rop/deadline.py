"""How long a ROP may keep a reader thread: there are few, and everybody's long work waits for them.

A ROP that runs apart does so within `limited`. Its steps call `check`: `RopContext.read` and `write` do, and
so does every loop that goes over bytes. When the time is over `check` raises ecTimeout: what was done stays
done, and ROPs that have PartialCompletion say so. What runs within no limit is never stopped.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError

LIMIT = 60.0
"""Seconds of one ROP, at most. Copying 10,000 messages takes a fraction of it."""

_ends: ContextVar[float | None] = ContextVar("ends", default=None)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """What runs in the block, on this thread, ends within about `seconds`."""
    token = _ends.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends.reset(token)


def check() -> None:
    """Raises MapiError ecTimeout when the time is over."""
    ends = _ends.get()
    if ends is not None and time.monotonic() > ends:
        raise MapiError(ec.ecTimeout, "the operation took too long")
