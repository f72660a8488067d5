"""Failed log-ons slow an address down, then block it for a while. No account is ever locked by them.

Rules:
- An address is an IPv4 address or an IPv6 /64 (what one customer has); IPv4 in IPv6 counts as IPv4.
- The first FREE failures cost nothing; each further one doubles the delay of the answer, up to MAX_DELAY.
- BLOCK_AFTER different failures within the time that forgives them block the address for BLOCK_SECONDS,
  right passwords included: whoever guesses must not learn anything. Each further block lasts twice as long,
  up to MAX_BLOCK.
- The same wrong password again (a phone after a change) delays, but counts once.
- A failure is forgiven after FORGIVE_SECONDS. A success forgives one.
- Loopback (a web mail on the same machine) is delayed by LOOPBACK_DELAY at most and never blocked.

Bounded: MAX_ADDRESSES, the one heard of longest ago goes first. Thread-safe. The clock is the caller's.
"""

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

FREE = 2
MAX_DELAY = 8.0
LOOPBACK_DELAY = 1.0
BLOCK_AFTER = 10
BLOCK_SECONDS = 300.0
MAX_BLOCK = 3600.0
FORGIVE_SECONDS = 120.0
FORGET_SECONDS = 6 * 3600.0
MAX_ADDRESSES = 10_000
_MAX_TOKENS = 16


@dataclass(slots=True)
class _Record:
    failures: float = 0.0
    since: float = 0.0
    blocked_until: float = 0.0
    blocks: int = 0
    tokens: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an address may try, and by how many seconds its answer is to be delayed."""

    blocked: bool
    delay: float


class Throttle:
    """Failures of every address. `clock`: monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def admit(self, peer: str) -> Verdict:
        """Ask before a password is looked at. `peer`: an IP address as text."""
        key, loopback = _key(peer)
        now = self._clock()
        with self._lock:
            record = self._records.get(key)
            if record is None:
                return Verdict(False, 0.0)
            _forgive(record, now)
            if record.blocked_until > now and not loopback:
                return Verdict(True, MAX_DELAY)
            return Verdict(False, _delay(record, loopback))

    def failed(self, peer: str, token: bytes) -> float:
        """Note a failure; the seconds by which the answer is to be delayed. `token`: a keyed hash of name
        and password, the same for the same attempt."""
        key, loopback = _key(peer)
        now = self._clock()
        with self._lock:
            record = self._record(key, now)
            _forgive(record, now)
            if token not in record.tokens:
                record.tokens = [*record.tokens[-_MAX_TOKENS + 1 :], token]
                record.failures += 1
            if record.failures >= BLOCK_AFTER and not loopback:
                record.blocked_until = now + min(BLOCK_SECONDS * 2**record.blocks, MAX_BLOCK)
                record.blocks = min(record.blocks + 1, 8)
                record.failures = BLOCK_AFTER / 2
            return _delay(record, loopback)

    def succeeded(self, peer: str) -> None:
        """Note a success: it forgives one failure."""
        with self._lock:
            record = self._records.get(_key(peer)[0])
            if record is not None:
                record.failures = max(0.0, record.failures - 1)

    def __len__(self) -> int:
        return len(self._records)

    def _record(self, key: str, now: float) -> _Record:
        record = self._records.get(key)
        if record is None:
            record = self._records[key] = _Record(since=now)
            if len(self._records) > MAX_ADDRESSES:
                self._records.popitem(last=False)
        self._records.move_to_end(key)
        return record


def _key(peer: str) -> tuple[str, bool]:
    """What counts as one address, and whether it is the machine itself."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer, False
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            network = ipaddress.ip_network((int(address) >> 64 << 64, 64))
            return str(network), address.is_loopback
        address = address.ipv4_mapped
    return str(address), address.is_loopback


def _forgive(record: _Record, now: float) -> None:
    passed = now - record.since
    record.since = now
    record.failures = max(0.0, record.failures - passed / FORGIVE_SECONDS)
    if record.failures == 0.0:
        record.tokens.clear()
    if now - record.blocked_until > FORGET_SECONDS:
        record.blocks = 0


def _delay(record: _Record, loopback: bool) -> float:
    over = round(record.failures) - FREE
    if over < 0:
        return 0.0
    return min(0.5 * 2.0 ** min(over, 10), LOOPBACK_DELAY if loopback else MAX_DELAY)
