"""Deadlines of many items."""

import asyncio
from typing import Any

from appliance.net.timers import NEVER, Wheel


class Item:
    def __init__(self) -> None:
        self.deadline = self.bucket = NEVER
        self.fired = 0

    def expired(self) -> None:
        self.fired += 1


class FakeLoop:
    """A loop whose clock the test moves."""

    def __init__(self) -> None:
        self.now = 100.25
        self.timers: list[tuple[float, Any]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Any) -> Any:
        entry = (when, callback)
        self.timers.append(entry)
        timers = self.timers

        class Handle:
            def cancel(self) -> None:
                timers.remove(entry)

        return Handle()

    def move(self, seconds: float) -> None:
        self.now += seconds
        due = [timer for timer in self.timers if timer[0] <= self.now]
        for timer in due:
            self.timers.remove(timer)
            timer[1]()


def made() -> tuple[FakeLoop, Wheel]:
    loop = FakeLoop()
    return loop, Wheel(loop)  # type: ignore[arg-type]


def test_fires_once_after_the_deadline_and_then_rests() -> None:
    loop, wheel = made()
    item = Item()
    wheel.watch(item, 103.5)
    loop.move(3.0)
    assert item.fired == 0
    loop.move(1.0)
    assert (item.fired, item.deadline, loop.timers) == (1, NEVER, [])


def test_a_deadline_moved_later_by_assignment_or_watch() -> None:
    loop, wheel = made()
    items = [Item() for _ in range(1000)]
    for item in items:
        wheel.watch(item, 105.0)
    for item in items:
        item.deadline = 110.0
    loop.move(5.0)
    assert len(loop.timers) == 1
    wheel.watch(items[0], 120.0)
    loop.move(5.0)
    assert [item.fired for item in items] == [0] + [1] * 999
    loop.move(10.0)
    assert items[0].fired == 1


def test_a_deadline_moved_earlier_and_taken_away() -> None:
    loop, wheel = made()
    item, other = Item(), Item()
    wheel.watch(item, 1000.0)
    wheel.watch(other, 1000.0)
    wheel.watch(item, 102.0)
    other.deadline = NEVER
    loop.move(2.0)
    assert item.fired == 1
    loop.move(1000.0)
    assert (item.fired, other.fired, loop.timers) == (1, 0, [])
    wheel.watch(item, 2000.0)
    wheel.forget(item)
    loop.move(2000.0)
    assert item.fired == 1


def test_on_a_real_loop() -> None:
    async def run() -> float:
        loop = asyncio.get_running_loop()
        wheel, fired = Wheel(loop), loop.create_future()
        item = Item()
        item.expired = lambda: fired.set_result(loop.time())  # type: ignore[method-assign]
        began = loop.time()
        wheel.watch(item, began + 0.1)
        return float(await fired) - began

    assert 0.1 <= asyncio.run(run()) < 1.5
