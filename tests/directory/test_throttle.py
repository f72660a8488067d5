"""Throttling of failed log-ons."""

from appliance.directory import throttle
from appliance.directory.throttle import Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _fail(guard: Throttle, peer: str, count: int, start: int = 0) -> list[float]:
    return [guard.failed(peer, str(start + number).encode()) for number in range(count)]


def test_slower_and_then_blocked_for_a_while() -> None:
    clock = Clock()
    guard = Throttle(clock)
    delays = _fail(guard, "192.0.2.1", 9)
    assert delays == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0]
    assert not guard.admit("192.0.2.1").blocked
    _fail(guard, "192.0.2.1", 1, 9)
    assert guard.admit("192.0.2.1").blocked
    assert not guard.admit("192.0.2.2").blocked
    clock.now += throttle.BLOCK_SECONDS + 1
    assert not guard.admit("192.0.2.1").blocked
    _fail(guard, "192.0.2.1", 10, 100)
    clock.now += throttle.BLOCK_SECONDS + 1
    assert guard.admit("192.0.2.1").blocked, "the second block lasts twice as long"


def test_forgiven_with_time_and_by_success() -> None:
    clock = Clock()
    guard = Throttle(clock)
    _fail(guard, "192.0.2.1", 4)
    assert guard.admit("192.0.2.1").delay == 2.0
    guard.succeeded("192.0.2.1")
    assert guard.admit("192.0.2.1").delay == 1.0
    clock.now += 10 * throttle.FORGIVE_SECONDS
    assert guard.admit("192.0.2.1").delay == 0.0


def test_one_wrong_password_again_and_again_counts_once() -> None:
    guard = Throttle(Clock())
    for _ in range(100):
        guard.failed("192.0.2.1", b"the old password")
    assert guard.admit("192.0.2.1") == throttle.Verdict(False, 0.0)


def test_what_one_address_is() -> None:
    guard = Throttle(Clock())
    _fail(guard, "2001:db8:1:2:3::4", 10)
    assert guard.admit("2001:db8:1:2:ffff::1").blocked
    assert not guard.admit("2001:db8:1:3::4").blocked
    _fail(guard, "::ffff:192.0.2.1", 10)
    assert guard.admit("192.0.2.1").blocked
    _fail(guard, "fe80::1%eth0", 10)
    assert guard.admit("fe80::2%eth1").blocked


def test_loopback_is_slowed_but_never_blocked() -> None:
    for peer in ("127.0.0.1", "::1", "127.8.8.8"):
        guard = Throttle(Clock())
        assert max(_fail(guard, peer, 50)) == throttle.LOOPBACK_DELAY
        assert guard.admit(peer) == throttle.Verdict(False, throttle.LOOPBACK_DELAY)


def test_memory_is_bounded() -> None:
    guard = Throttle(Clock())
    for number in range(throttle.MAX_ADDRESSES + 50):
        guard.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", b"x")
    assert len(guard) == throttle.MAX_ADDRESSES
