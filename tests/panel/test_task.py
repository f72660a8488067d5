"""The role: lights follow health, the button is heard, the panel alone ends with the set-up."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from appliance.config import Settings
from appliance.net import health
from appliance.net.health import Condition, Health, Problem, Stage, State
from appliance.net.parts import Parts
from appliance.panel import task
from appliance.panel.board import NONE, Board
from appliance.panel.fixtures import Fixtures
from appliance.panel.machine import Machine
from appliance.store.store import Store

BOARD = Board("test", frozenset(), "chip", {"green": 17, "amber": 27, "red": 22}, True, None, ())
WELL = Health(State.OK, ())


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


def run(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scene)


def test_lights_follow_the_condition(tmp_path: Path) -> None:
    async def scene() -> None:
        with MockFactory(pin_class=MockPWMPin) as factory:
            panel = task.Panel(tmp_path, BOARD, Fixtures(BOARD, factory), Settings)
            green, red = factory.pin(17), factory.pin(22)
            serving = asyncio.create_task(panel.serve())
            panel.shown.stage, panel.shown.judged = Stage.RUNNING, WELL
            await until(lambda: green.state == 1)
            panel.shown.judged = Health(State.FAILING, (Problem("full", State.FAILING, "full"),))
            await until(lambda: (green.state, red.state) == (0, 1))
            await until(lambda: red.state == 0)
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    run(scene())


def test_the_button_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []

    async def remember(data: Path, wanted: Any) -> Any:
        ran.append(wanted.arguments)
        return SimpleNamespace(ok=False, reason="not here")

    async def scene() -> None:
        monkeypatch.setattr(task.commands, "run", remember)
        with MockFactory() as factory:
            board = Board("test", button=3, consoles=("ttyNONE0",))
            panel = task.Panel(tmp_path, board, Fixtures(board, factory), Settings)
            button = factory.pin(3)
            serving = asyncio.create_task(panel.serve())
            (session,) = panel.sessions
            await asyncio.sleep(0.1)
            button.drive_low()
            await asyncio.sleep(0.2)
            button.drive_high()
            await until(lambda: b"Satchel mail appliance" in session.terminal.take())
            await panel._gesture(task.Gesture.SHUT_DOWN)
            assert ran == [("shutdown", "--yes")]
            assert b"Refused: not here" in session.terminal.take()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    run(scene())


def test_mail_that_moves_is_seen(store: Store, mailbox: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The role in a server: all is well, until a commit."""
    made = []
    original = task.Panel

    def remember(*arguments: Any) -> task.Panel:
        made.append(original(*arguments))
        return made[0]

    async def scene() -> None:
        monkeypatch.setattr(task, "Panel", remember)
        monkeypatch.setattr(task, "board_of", lambda _: NONE)
        loop = asyncio.get_running_loop()
        parts = cast(Parts, SimpleNamespace(store=store, settings=Settings()))
        running = asyncio.create_task(task.run(parts))
        await until(lambda: bool(made) and made[0].shown.stage is Stage.RUNNING)
        shown = made[0].shown
        assert shown.condition(loop.time() + 60) is Condition.WELL
        await asyncio.wrap_future(store.write(lambda txn: txn.touch(mailbox)))
        await until(lambda: shown.condition(loop.time()) is Condition.MOVING)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run(scene())


def test_the_panel_alone_ends_when_it_is_set_up(tmp_path: Path) -> None:
    data = tmp_path / "data"

    async def scene() -> None:
        started = asyncio.Event()
        serving = asyncio.create_task(task.alone(data, Settings(), started.set))
        await started.wait()
        assert not serving.done()
        Store.create(data).close()
        async with asyncio.timeout(20):
            await serving

    run(scene())


def test_a_board_without_its_chip_goes_on_in_the_dark(caplog: pytest.LogCaptureFixture) -> None:
    fixtures = task.fixtures_of(BOARD)
    assert not fixtures.names
    assert "no lights and no button" in caplog.text
    assert task.board_of(Settings().replaced({"panel.board": "pi99"})) == NONE
    assert "no such description" in caplog.text


def test_the_last_program_is_told_the_lights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "RUN", tmp_path)
    monkeypatch.setattr(Fixtures, "chip", "/dev/gpiochip0")
    with MockFactory(pin_class=MockPWMPin) as factory:
        panel = task.Panel(tmp_path, BOARD, Fixtures(BOARD, factory), Settings)
        panel._leave_lights()
        assert (tmp_path / "lights").read_text() == (
            "/dev/gpiochip0 17 0\n/dev/gpiochip0 27 1\n/dev/gpiochip0 22 0\n"
        )


def test_what_the_updater_says(tmp_path: Path) -> None:
    assert health.update(tmp_path / "update") == ""
    for said, heard in (
        ("waiting\n", "waiting"),
        ("installing", "installing"),
        ("\xff", ""),
        ("nonsense", ""),
    ):
        (tmp_path / "update").write_text(said)
        assert health.update(tmp_path / "update") == heard


def test_a_machine_that_ends(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "data", tmp_path / "request")
    machine.requests.mkdir(parents=True)
    assert not machine.ending()
    (machine.requests / "poweroff").touch()
    assert machine.ending()
