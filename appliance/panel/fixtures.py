"""The lights and the button of a board, as gpiozero devices.

`Fixtures` shows signs and reads the button; without lights or button it does nothing. What shows when is the
caller's: `light.levels` says how bright each is at a moment.
"""

from collections.abc import Mapping

from gpiozero import PWMLED, InputDevice
from gpiozero.pins import Factory

from appliance.panel.board import Board
from appliance.panel.pins import LineFactory

FREQUENCY = 100
"""Hz of dimming: no eye sees it."""


class Fixtures:
    """The devices of one board. Raises what gpiozero raises for lines that cannot be had."""

    def __init__(self, board: Board, factory: Factory | None) -> None:
        self._factory = factory
        self._lights: dict[str, PWMLED] = {}
        self._button: InputDevice | None = None
        self._shown: dict[str, float] = {}
        if factory is None:
            return
        try:
            for name, line in board.lights.items():
                self._lights[name] = PWMLED(
                    line, active_high=board.active_high, frequency=FREQUENCY, pin_factory=factory
                )
            if board.button is not None:
                self._button = InputDevice(board.button, pull_up=True, pin_factory=factory)
        except BaseException:
            self.close()
            raise

    @property
    def names(self) -> Mapping[str, int]:
        """The lights that are there."""
        return dict.fromkeys(self._lights, 0)

    def show(self, levels: Mapping[str, float], brightness: int) -> None:
        """Set the lights: levels from 0 to 1, dimmed to `brightness` percent."""
        for name, light in self._lights.items():
            level = levels.get(name, 0.0) * brightness / 100
            if self._shown.get(name) != level:
                self._shown[name] = level
                light.value = level

    @property
    def chip(self) -> str:
        """The path of the chip, where it is one of the kernel's."""
        return self._factory.path if isinstance(self._factory, LineFactory) else ""

    @property
    def has_button(self) -> bool:
        """Whether the board has a button."""
        return self._button is not None

    def pressed(self) -> bool:
        """Whether the button is down now."""
        return self._button is not None and bool(self._button.value)

    def close(self) -> None:
        """Dark, and every line given back."""
        for light in self._lights.values():
            light.off()
            light.close()
        if self._button is not None:
            self._button.close()
        self._lights, self._button = {}, None
        if self._factory is not None:
            self._factory.close()
