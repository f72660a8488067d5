"""The role `panel`: lights, button and serial consoles of the board, beside the server or alone.

`run` is the role's background task in a server. `alone` serves the panel without one: before the first
set-up, until there is a store, and after the server failed for good. A panel that cannot have its lines says
so in the log and goes on with what it has: mail matters more.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gpiozero.exc import GPIOZeroError

from appliance.config import Settings
from appliance.net import health, interfaces, running
from appliance.net.health import Condition, Health, Problem, Stage, State
from appliance.net.log import event
from appliance.net.parts import Parts
from appliance.panel import commands, light, lines, menu
from appliance.panel.board import NONE, Board, BoardError, find
from appliance.panel.button import Button, Gesture
from appliance.panel.dialogue import Run
from appliance.panel.fixtures import Fixtures
from appliance.panel.machine import Machine, write_whole
from appliance.panel.pins import LineFactory
from appliance.panel.session import Session
from appliance.store.kv import FILE_NAME
from appliance.store.store import Store

RUN = Path("/run/appliance")
LIGHTS = "lights"
"""Lines `CHIP LINE VALUE` for the program that runs when everything is unmounted."""

LOOK = 0.05
"""Seconds between two looks at the button."""

JUDGE = 5.0
"""Seconds between two judgements of health."""

MOVING = 2.0
"""Seconds that mail counts as moving after a commit."""

_COMMANDS: dict[Gesture, tuple[tuple[str, ...], str]] = {
    Gesture.SHUT_DOWN: (("shutdown", "--yes"), "The button asks to shut down."),
    Gesture.FACTORY_RESET: (("factory-reset", "--yes"), "The button asks for a factory reset."),
}
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Showing:
    """What is shown. `judged` is replaced from time to time, `moved` when mail moves."""

    stage: Stage
    judged: Health
    moved: float = -MOVING
    ending: bool = False

    def condition(self, now: float) -> Condition:
        """What to show at a time of the loop's clock."""
        return health.condition(self.stage, self.judged, moving=now - self.moved < MOVING)


class Panel:
    """Lights, button and consoles of one board."""

    def __init__(
        self, data: Path, board: Board, fixtures: Fixtures, settings: Callable[[], Settings]
    ) -> None:
        self._data, self._board, self._fixtures, self._settings = data, board, fixtures, settings
        self.shown = Showing(Stage.BOOTING, Health(State.OK, ()))
        self.desk = menu.Desk(partial(is_set_up, data), interfaces.addresses)
        self._run = partial(commands.run, data)
        idle = settings().panel.idle
        self.sessions = [
            Session(partial(menu.conversation, self.desk), idle=idle, name=line) for line in board.consoles
        ]

    async def serve(self) -> None:
        """Serve until cancelled; then the lights go dark."""
        self._leave_lights()
        try:
            async with asyncio.TaskGroup() as tasks:
                if self._fixtures.names or self._fixtures.has_button:
                    tasks.create_task(self._lights())
                for session in self.sessions:
                    tasks.create_task(lines.serve_port(f"/dev/{session.name}", session, self._run))
        finally:
            self._fixtures.close()

    def _leave_lights(self) -> None:
        """Say which lights mean "safe to unplug", for the last program of a shutdown."""
        path = RUN / LIGHTS
        if not self._fixtures.names or not path.parent.is_dir():
            return
        levels = light.levels(Condition.UNPLUG, self._board.lights, 0.0)
        rows = [
            f"{self._fixtures.chip} {line} {int((levels[name] > 0) == self._board.active_high)}"
            for name, line in self._board.lights.items()
        ]
        write_whole(path, "\n".join(rows) + "\n")

    async def _lights(self) -> None:
        """Show the condition and read the button."""
        loop = asyncio.get_running_loop()
        button = Button(self._fixtures.pressed())
        sign, since = None, loop.time()
        while True:
            now = loop.time()
            if gesture := button.change(self._fixtures.pressed(), now):
                await self._gesture(gesture)
            ending = light.Answer.ENDING if self.shown.ending else None
            showing = ending or button.hint(now) or self.shown.condition(now)
            if showing is not sign:
                sign, since = showing, now
            levels = light.levels(showing, self._fixtures.names, now - since)
            self._fixtures.show(levels, self._settings().panel.brightness)
            wait = light.until_next(showing, now - since)
            await asyncio.sleep(min(wait, LOOK) if self._fixtures.has_button else wait)

    async def _gesture(self, gesture: Gesture) -> None:
        event(_log, logging.INFO, "button", gesture=gesture.value)
        if gesture is Gesture.SHOW_ADDRESS:
            self._tell(menu.banner(self.desk))
            return
        arguments, text = _COMMANDS[gesture]
        self._tell(text)
        result = await self._run(Run(arguments))
        self.shown.ending = result.ok
        if not result.ok:
            self._tell(f"Refused: {result.reason}")

    def _tell(self, text: str) -> None:
        for session in self.sessions:
            session.notice(text)


def is_set_up(data: Path) -> bool:
    """Whether there is a store."""
    return (data / FILE_NAME).exists()


def fixtures_of(board: Board) -> Fixtures:
    """The board's devices; none, with a line in the log, where they cannot be had."""
    if not board.lights and board.button is None:
        return Fixtures(NONE, None)
    try:
        return Fixtures(board, LineFactory(board.chip))
    except (OSError, GPIOZeroError) as error:
        event(_log, logging.WARNING, "no lights and no button", reason=error)
        return Fixtures(NONE, None)


def board_of(settings: Settings) -> Board:
    """The board that the settings name; none, with a line in the log, where there is no such."""
    try:
        return find(settings.panel.board)
    except BoardError as error:
        event(_log, logging.ERROR, "no board", reason=error)
        return NONE


async def run(parts: Parts) -> None:
    """The role in a server."""
    store = parts.store
    board = board_of(parts.settings)
    panel = Panel(store.directory, board, fixtures_of(board), lambda: parts.settings)
    loop = asyncio.get_running_loop()

    def moved(_: frozenset[int]) -> None:  # on the writer thread; a float is set as a whole
        panel.shown.moved = loop.time()

    unwatch = store.watch(moved)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(panel.serve())
            tasks.create_task(_judge(store, panel))
    finally:
        unwatch()


async def _judge(store: Store, panel: Panel) -> None:
    """Judge the store's health again and again."""
    while True:
        machine = Machine(store.directory)
        panel.shown.judged = await asyncio.to_thread(_judged, store)
        panel.shown.stage = Stage.UPDATING if health.update() == "installing" else Stage.RUNNING
        panel.shown.ending = machine.ending()
        await asyncio.sleep(JUDGE)


def _judged(store: Store) -> Health:
    days = health.certificate_days(store.directory)
    return health.judge(health.facts(store, running=True, certificate_days=days))


async def alone(data: Path, settings: Settings, started: Callable[[], None]) -> None:
    """The panel without a server: returns once the first set-up is done, or a server runs again.
    `started` is called when the panel serves."""
    board = board_of(settings)
    panel = Panel(data, board, fixtures_of(board), lambda: settings)
    wanted = not is_set_up(data)
    panel.shown.stage = Stage.SETUP if wanted else Stage.RUNNING
    down = Problem("stopped", State.FAILING, "the server failed and was not started again")
    panel.shown.judged = Health(State.FAILING, (down,))
    serving = asyncio.create_task(panel.serve())
    started()
    try:
        while not _over(panel, data, wanted):
            done, _ = await asyncio.wait([serving], timeout=1.0)
            if done:
                serving.result()
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def _over(panel: Panel, data: Path, wanted: bool) -> bool:
    """Whether the panel without a server is not needed any more. `wanted`: it is there for the set-up."""
    if wanted:
        return is_set_up(data) and panel.desk.setting_up is None
    return bool(running.present(data))
