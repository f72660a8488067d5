"""Lights and button as devices: on gpiozero's mock pins, and our own pins on a chip of the test."""

import enum
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gpiozero.exc import GPIOPinInUse, PinInvalidFunction, PinInvalidPull, PinSetInput
from gpiozero.pins.mock import MockFactory, MockPWMPin

from appliance.panel.board import NONE, Board
from appliance.panel.fixtures import Fixtures
from appliance.panel.pins import LineFactory, PinsError

BOARD = Board("test", frozenset(), "chip", {"green": 17, "red": 22}, True, 3)


def test_lights_on_mock_pins() -> None:
    with MockFactory(pin_class=MockPWMPin) as factory:
        fixtures = Fixtures(Board("test", lights={"green": 17, "red": 22}), factory)
        fixtures.show({"green": 1.0}, 50)
        assert (factory.pin(17).state, factory.pin(22).state) == (0.5, 0)
        fixtures.close()
        assert factory.pins == {} or factory.pin(17).state == 0


def test_the_button_on_mock_pins() -> None:
    with MockFactory() as factory:
        fixtures = Fixtures(Board("test", button=3), factory)
        assert fixtures.has_button
        assert not fixtures.pressed()
        factory.pin(3).drive_low()
        assert fixtures.pressed()
        fixtures.close()


def test_a_machine_without_a_panel() -> None:
    fixtures = Fixtures(NONE, None)
    fixtures.show({"green": 1.0}, 100)
    assert not fixtures.has_button
    assert not fixtures.pressed()
    fixtures.close()


class Chip:
    """A GPIO chip in the form of libgpiod's binding."""

    class Value(enum.Enum):
        INACTIVE = 0
        ACTIVE = 1

    def __init__(self, *refused: int) -> None:
        self.values: dict[int, Any] = {}
        self.settings: dict[int, dict[str, Any]] = {}
        self.requested: set[int] = set()
        self.changes: list[tuple[int, Any]] = []
        self.switched = threading.Event()
        self._refused = refused
        direction = SimpleNamespace(INPUT="in", OUTPUT="out")
        bias = SimpleNamespace(AS_IS="as is", PULL_UP="up", PULL_DOWN="down", DISABLED="none")
        self.line = SimpleNamespace(Value=self.Value, Direction=direction, Bias=bias)

    def Chip(self, path: str) -> "Chip":
        if path.endswith("1"):
            raise PermissionError("not yours")
        self.label = "panel" if path.endswith("2") else "other"
        return self

    def __enter__(self) -> "Chip":
        return self

    def __exit__(self, *_: object) -> None: ...

    def get_info(self) -> Any:
        return SimpleNamespace(label=self.label)

    @staticmethod
    def LineSettings(**settings: Any) -> dict[str, Any]:
        return settings

    def request_lines(self, path: str, config: dict[int, dict[str, Any]], consumer: str) -> "Request":
        ((line, settings),) = config.items()
        assert line not in self.requested, "busy"
        if line in self._refused:
            raise OSError("busy")
        self.requested.add(line)
        self.settings[line] = settings
        if settings["direction"] == "out":
            self.values[line] = settings["output_value"]
        return Request(self, line)


class Request:
    def __init__(self, chip: Chip, line: int) -> None:
        self._chip, self._line = chip, line

    def get_value(self, line: int) -> Any:
        return self._chip.values.get(line, Chip.Value.ACTIVE)

    def set_value(self, line: int, value: Any) -> None:
        assert self._chip.settings[line]["direction"] == "out"
        self._chip.values[line] = value
        self._chip.changes.append((line, value))
        if len(self._chip.changes) > 6:
            self._chip.switched.set()

    def release(self) -> None:
        self._chip.requested.discard(self._line)


def test_our_pins_drive_lights_and_read_the_button() -> None:
    chip = Chip()
    fixtures = Fixtures(BOARD, LineFactory("/dev/gpiochip0", chip))
    assert chip.requested == {17, 22, 3}
    assert chip.settings[3] == {"direction": "in", "bias": "up", "output_value": Chip.Value.INACTIVE}
    fixtures.show({"green": 1.0, "red": 0.0}, 100)
    assert (chip.values[17], chip.values[22]) == (Chip.Value.ACTIVE, Chip.Value.INACTIVE)
    assert not fixtures.pressed()
    chip.values[3] = Chip.Value.INACTIVE
    assert fixtures.pressed()
    fixtures.close()
    assert chip.requested == set()
    assert chip.values[17] is Chip.Value.INACTIVE


def test_lights_that_low_levels_light() -> None:
    chip = Chip()
    board = Board("test", lights={"only": 5}, active_high=False)
    fixtures = Fixtures(board, LineFactory("/dev/gpiochip0", chip))
    assert chip.values[5] is Chip.Value.ACTIVE
    fixtures.show({"only": 1.0}, 100)
    assert chip.values[5] is Chip.Value.INACTIVE
    fixtures.close()


def test_dimming_switches_the_line_and_ends() -> None:
    chip = Chip()
    fixtures = Fixtures(BOARD, LineFactory("/dev/gpiochip0", chip))
    fixtures.show({"green": 1.0}, 30)
    assert chip.switched.wait(10)
    fixtures.show({"green": 0.0}, 30)
    assert {value for line, value in chip.changes if line == 17} == set(Chip.Value)
    assert chip.values[17] is Chip.Value.INACTIVE
    fixtures.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "line 17"]


def test_chips_are_found_by_label(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"gpiochip{number}").touch()
    assert LineFactory("panel", Chip(), tmp_path).path == str(tmp_path / "gpiochip2")
    with pytest.raises(PinsError, match="no GPIO chip 'absent'"):
        LineFactory("absent", Chip(), tmp_path)


def test_a_line_that_cannot_be_had_gives_the_others_back() -> None:
    chip = Chip(22)
    with pytest.raises(PinsError, match="line 22: busy"):
        Fixtures(BOARD, LineFactory("/dev/gpiochip0", chip))
    assert chip.requested == set()


def test_pins_refuse_what_lines_cannot_do() -> None:
    factory = LineFactory("/dev/gpiochip0", Chip())
    pin = factory.pin(4)
    with pytest.raises(GPIOPinInUse):
        factory.reserve_pins(None, 4)
    with pytest.raises(PinInvalidFunction):
        pin.function = "analogue"
    pin.function = "input"
    with pytest.raises(PinSetInput):
        pin.state = 1
    with pytest.raises(PinInvalidPull):
        pin.pull = "sideways"
    pin.pull = "down"
    assert (pin.pull, pin.state, pin.frequency) == ("down", 1, None)
    assert factory.ticks_diff(factory.ticks(), factory.ticks()) <= 0
    factory.close()
