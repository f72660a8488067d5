"""A plain mutation fuzzer: changes seeds, runs a target, and keeps whatever behaves in an undeclared way.

A finding is an exception that the target did not declare, an input that takes longer than the target's time
limit, or one that exhausts memory. Inputs with an outcome not seen before (another error text, another
success) join the seeds, which steers the mutations a little without tracing. Findings are written to
tests/vectors/fuzz/NAME/ and replayed by the tests for ever.
"""

import hashlib
import random
import re
import resource
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from appliance.wire.errors import DecodeError

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "fuzz"
MAX_CORPUS = 2000
MEMORY_LIMIT = 4 << 30  # bytes of address space while fuzzing

INTERESTING = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFE,
    0xFF,
    0x100,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0xFFFFFFFF,
)


@dataclass(frozen=True)
class Target:
    """One parser. `run` takes any bytes and may raise `errors` only; `seeds` are inputs worth changing."""

    name: str
    run: Callable[[bytes], Any]
    seeds: Callable[[], Iterable[bytes]] = lambda: ()
    errors: tuple[type[Exception], ...] = (DecodeError,)
    max_size: int = 1 << 14  # bytes of an input
    max_seconds: float = 2.0  # for one input


@dataclass(frozen=True)
class Finding:
    """An input that went wrong, and how."""

    target: str
    data: bytes
    problem: str


class _TooSlow(BaseException):
    """Raised by the timer into the target; no target catches it by accident."""


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def limited_memory() -> Iterator[None]:
    """Address space capped, so that an announced length that is believed becomes a MemoryError."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def run_one(target: Target, data: bytes) -> tuple[str, Finding | None]:
    """The outcome's signature, and a finding if it was not a declared one."""
    try:
        with _deadline(target.max_seconds):
            target.run(data)
    except target.errors as error:
        return f"{type(error).__name__} {re.sub('[0-9]+', '#', str(error))}", None
    except _TooSlow:
        return "slow", Finding(target.name, data, f"took more than {target.max_seconds} s of processor time")
    except Exception as error:
        return "finding", Finding(target.name, data, f"{type(error).__name__}: {error}")
    return "accepted", None


def stored(target: Target) -> list[bytes]:
    """What was found earlier."""
    return [path.read_bytes() for path in sorted((VECTORS / target.name).glob("*.bin"))]


def keep(finding: Finding) -> Path:
    """Writes the finding where the tests replay it."""
    folder = VECTORS / finding.target
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (hashlib.sha256(finding.data).hexdigest()[:16] + ".bin")
    path.write_bytes(finding.data)
    return path


def fuzz(target: Target, seconds: float, seed: int, runs: int | None = None) -> tuple[int, Finding | None]:
    """Runs the target until the time or the number of runs is over; stops at the first finding."""
    rng = random.Random(seed)
    corpus = [*target.seeds(), *stored(target)] or [b""]
    seen: set[str] = set()
    done = 0
    for data in corpus:
        signature, finding = run_one(target, data)
        done += 1
        seen.add(signature)
        if finding is not None:
            return done, finding
    end = time.monotonic() + seconds
    while (time.monotonic() < end) if runs is None else (done < runs):
        data = mutate(rng, rng.choice(corpus), corpus)[: target.max_size]
        signature, finding = run_one(target, data)
        done += 1
        if finding is not None:
            return done, finding
        if signature not in seen and len(corpus) < MAX_CORPUS:
            seen.add(signature)
            corpus.append(data)
    return done, None


def mutate(rng: random.Random, data: bytes, corpus: list[bytes]) -> bytes:
    """One to eight changes: bits, bytes, numbers, cuts, repetitions, splices."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        rng.choice(_MUTATIONS)(rng, changed, corpus)
    return bytes(changed)


def _place(rng: random.Random, data: bytearray) -> int:
    return rng.randrange(len(data)) if data else 0


def _flip(rng: random.Random, data: bytearray, _corpus: list[bytes]) -> None:
    if data:
        data[_place(rng, data)] ^= 1 << rng.randrange(8)


def _byte(rng: random.Random, data: bytearray, _corpus: list[bytes]) -> None:
    if data:
        data[_place(rng, data)] = rng.randrange(256)


def _number(rng: random.Random, data: bytearray, _corpus: list[bytes]) -> None:
    size = rng.choice((1, 2, 4, 8))
    value = rng.choice(INTERESTING) & ((1 << 8 * size) - 1)
    at = _place(rng, data)
    data[at : at + size] = value.to_bytes(size, rng.choice(("little", "big")))


def _cut(rng: random.Random, data: bytearray, _corpus: list[bytes]) -> None:
    at = _place(rng, data)
    del data[at : at + rng.choice((1, 2, 4, 16, len(data)))]


def _insert(rng: random.Random, data: bytearray, _corpus: list[bytes]) -> None:
    at = _place(rng, data)
    data[at:at] = rng.randbytes(rng.choice((1, 2, 4, 16)))


def _repeat(rng: random.Random, data: bytearray, _corpus: list[bytes]) -> None:
    at = _place(rng, data)
    piece = data[at : at + rng.choice((1, 2, 8, 64))]
    data[at:at] = piece * rng.choice((1, 2, 16, 200))


def _splice(rng: random.Random, data: bytearray, corpus: list[bytes]) -> None:
    other = rng.choice(corpus)
    start = rng.randrange(len(other) + 1)
    at = _place(rng, data)
    data[at : at + rng.choice((0, 4, len(data)))] = other[start : start + rng.choice((4, 16, len(other)))]


_MUTATIONS = (_flip, _byte, _number, _cut, _insert, _repeat, _splice)
