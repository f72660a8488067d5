"""A small pin factory for gpiozero on libgpiod: any GPIO chip of the kernel, real or simulated.

gpiozero's own factories know Raspberry Pis alone and number pins by their headers; here a pin is a line of
one chip, found by label or path. Dimming is done in software, one thread for each dimmed line, and only while
a line is dimmed.

Errors: PinsError when the chip or a line cannot be had; the panel then goes on without lights.
"""

import importlib
import threading
import time
from pathlib import Path
from typing import Any

from gpiozero.exc import GPIOPinInUse, PinInvalidFunction, PinInvalidPull, PinSetInput
from gpiozero.pins import Factory, Pin, PinInfo

CONSUMER = "satchel"
DEVICES = Path("/dev")
_PULLS = {"up": "PULL_UP", "down": "PULL_DOWN", "floating": "DISABLED"}


class PinsError(OSError):
    """No such chip, no such line, no right to it, or no libgpiod; one line."""


class LineFactory(Factory):  # type: ignore[misc]
    """Makes pins of the lines of one chip. `gpiod` is the library (libgpiod's own binding)."""

    def __init__(self, chip: str, gpiod: Any = None, devices: Path = DEVICES) -> None:
        super().__init__()
        self.gpiod = gpiod if gpiod is not None else _library()
        self.path = chip if "/" in chip else self._labelled(chip, devices)
        self._pins: dict[int, LinePin] = {}

    def _labelled(self, label: str, devices: Path) -> str:
        refused = ""
        for path in sorted(devices.glob("gpiochip*")):
            try:
                with self.gpiod.Chip(str(path)) as chip:
                    if chip.get_info().label == label:
                        return str(path)
            except OSError as error:
                refused = f" ({error})"
        raise PinsError(f"there is no GPIO chip {label!r}{refused}")

    def pin(self, name: int) -> "LinePin":
        """The pin of a line, by number."""
        if name not in self._pins:
            self._pins[name] = LinePin(self, name)
        return self._pins[name]

    def reserve_pins(self, requester: object, *names: int) -> None:
        """A line belongs to one device: there is no header whose pins could be shared."""
        for name in names:
            if name in self._pins:
                raise GPIOPinInUse(f"line {name} is in use")

    def release_pins(self, reserver: object, *names: object) -> None:
        """Nothing: the pin itself is what is reserved."""

    def forget(self, line: int) -> None:
        """A pin was closed."""
        self._pins.pop(line, None)

    def close(self) -> None:
        """Give every line back."""
        for pin in list(self._pins.values()):
            pin.close()

    def ticks(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def ticks_diff(self, later: float, earlier: float) -> float:
        """Seconds between."""
        return later - earlier


class LinePin(Pin):  # type: ignore[misc]
    """One line of a chip."""

    def __init__(self, factory: LineFactory, line: int) -> None:
        self._factory, self._line = factory, line
        self._function, self._pull = "input", "floating"
        self._frequency: float | None = None
        self._level = 0.0
        self._stopping = threading.Event()
        self._dimmer: threading.Thread | None = None
        self._request: Any = None

    def _open(self) -> None:
        """Ask for the line again, with the function and pull of now."""
        gpiod, kinds = self._factory.gpiod, self._factory.gpiod.line
        output = self._function == "output"
        settings = gpiod.LineSettings(
            direction=kinds.Direction.OUTPUT if output else kinds.Direction.INPUT,
            bias=kinds.Bias.AS_IS if output else getattr(kinds.Bias, _PULLS[self._pull]),
            output_value=self._value(self._level >= 0.5),
        )
        if self._request is not None:
            self._request.release()
            self._request = None
        try:
            config = {self._line: settings}
            self._request = gpiod.request_lines(self._factory.path, config=config, consumer=CONSUMER)
        except (OSError, ValueError) as error:
            raise PinsError(f"{self._factory.path}, line {self._line}: {error}") from error

    def _value(self, high: bool) -> Any:
        values = self._factory.gpiod.line.Value
        return values.ACTIVE if high else values.INACTIVE

    def close(self) -> None:
        """Give the line back."""
        self._stop_dimming()
        if self._request is not None:
            self._request.release()
            self._request = None
        self._factory.forget(self._line)

    def _get_info(self) -> PinInfo:
        name = f"GPIO{self._line}"
        return PinInfo(self._line, name, frozenset({self._line, name}), "", 0, 0, {"gpio"})

    def _get_function(self) -> str:
        return self._function

    def _set_function(self, value: str) -> None:
        if value not in ("input", "output"):
            raise PinInvalidFunction(f"{value!r}: a line is input or output")
        self._stop_dimming()
        self._function = value
        self._open()

    def output_with_state(self, state: float) -> None:
        """Output, at this level from the first moment on."""
        self._level = float(state)
        self._set_function("output")

    def _get_state(self) -> float:
        if self._function == "output":
            return self._level
        return int(self._request.get_value(self._line) == self._value(True))

    def _set_state(self, value: float) -> None:
        if self._function != "output":
            raise PinSetInput(f"line {self._line} is an input")
        self._level = float(value)
        if self._frequency is not None and 0 < self._level < 1:
            self._dim()
        else:
            self._stop_dimming()
            self._request.set_value(self._line, self._value(self._level >= 0.5))

    def _get_pull(self) -> str:
        return self._pull

    def _set_pull(self, value: str) -> None:
        if value not in _PULLS:
            raise PinInvalidPull(f"{value!r}: allowed is {', '.join(_PULLS)}")
        self._pull = value
        self._open()

    def _get_frequency(self) -> float | None:
        return self._frequency

    def _set_frequency(self, value: float | None) -> None:
        self._frequency = value
        if value is None:
            self._stop_dimming()

    def _dim(self) -> None:
        if self._dimmer is None:
            self._stopping.clear()
            self._dimmer = threading.Thread(target=self._dimming, name=f"line {self._line}", daemon=True)
            self._dimmer.start()

    def _stop_dimming(self) -> None:
        if self._dimmer is not None:
            self._stopping.set()
            self._dimmer.join()
            self._dimmer = None

    def _dimming(self) -> None:
        """Switch the line on and off in each period. The level may change meanwhile."""
        on, off = self._value(True), self._value(False)
        while not self._stopping.is_set() and self._frequency is not None:
            period, level = 1 / self._frequency, self._level
            self._request.set_value(self._line, on)
            self._stopping.wait(period * level)
            self._request.set_value(self._line, off)
            self._stopping.wait(period * (1 - level))


def _library() -> Any:
    try:
        return importlib.import_module("gpiod")
    except ImportError as error:
        raise PinsError("the library libgpiod (python3-libgpiod) is not installed") from error
