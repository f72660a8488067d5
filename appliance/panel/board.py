"""What a board has for the panel: lights, a button, serial lines. Read from `image/boards/*.conf`.

A file is lines of `key=value`; `#` begins a comment. Keys (all but `name` may be missing):

    name=Raspberry Pi 4
    compatible=raspberrypi,4-model-b        words of the device tree, with commas between several boards: `;`
    chip=pinctrl-bcm2711                    label of the GPIO chip, or its path
    light.green=17                          line of the light that says "well"; also light.amber, light.red
    light.only=17                           instead of the three, on boards with one light
    active=high                             which level lights a light
    button=3                                line of the button, which pulls to ground
    console=ttyAMA0, ttyGS0                 serial lines that the console is offered on

Errors: BoardError with the file, the line and what is allowed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DIRECTORIES = (Path("/usr/lib/appliance/boards"), Path(__file__).resolve().parents[2] / "image" / "boards")
"""Where descriptions stand: on the appliance, and in a checkout."""

COMPATIBLE = Path("/proc/device-tree/compatible")
LIGHTS = ("green", "amber", "red", "only")
MAX_LINE = 1023
MAX_FILE = 16 << 10
_CHIP = re.compile(r"[A-Za-z0-9_./:-]{1,100}")
_CONSOLE = re.compile(r"tty[A-Za-z]*[0-9]+")


class BoardError(ValueError):
    """A description that cannot be used; one line."""


@dataclass(frozen=True, slots=True)
class Board:
    """One board. `lights` leads from colour to GPIO line; empty: no lights."""

    name: str = "no board"
    compatible: frozenset[str] = frozenset()
    chip: str = ""
    lights: Mapping[str, int] = field(default_factory=dict)
    active_high: bool = True
    button: int | None = None
    consoles: tuple[str, ...] = ()


NONE = Board()
"""A machine without a panel."""


def parse(text: str, where: str) -> Board:
    """A board from the text of its file. Raises BoardError."""
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        key, separator, value = (part.strip() for part in line.partition("="))
        if not separator or key in values or key not in _KEYS:
            reason = "given twice" if key in values else f"allowed is {', '.join(_KEYS)}"
            raise BoardError(f"{where}, line {number}: {line[:60]!r}: {reason}")
        values[key] = value
    try:
        return _board(values)
    except ValueError as error:
        raise BoardError(f"{where}: {error}") from None


_KEYS = ("name", "compatible", "chip", *(f"light.{light}" for light in LIGHTS), "active", "button", "console")


def _board(values: Mapping[str, str]) -> Board:
    lights = {light: _line(values[f"light.{light}"]) for light in LIGHTS if f"light.{light}" in values}
    if "only" in lights and len(lights) > 1:
        raise ValueError("light.only excludes the other lights")
    button = _line(values["button"]) if "button" in values else None
    lines = [*lights.values(), *([] if button is None else [button])]
    if len(set(lines)) != len(lines):
        raise ValueError("one line is used twice")
    chip = values.get("chip", "")
    if lines and not _CHIP.fullmatch(chip):
        raise ValueError("lights and buttons need chip=LABEL")
    active = values.get("active", "high")
    if active not in ("high", "low"):
        raise ValueError(f"active={active[:20]}: allowed is high or low")
    consoles = tuple(part.strip() for part in values.get("console", "").split(",") if part.strip())
    if wrong := [console for console in consoles if not _CONSOLE.fullmatch(console)]:
        raise ValueError(f"console: {wrong[0][:40]!r} is no serial line as ttyS0")
    if not values.get("name"):
        raise ValueError("name is missing")
    words = frozenset(part.strip() for part in values.get("compatible", "").split(";") if part.strip())
    return Board(values["name"], words, chip, lights, active == "high", button, consoles)


def _line(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > MAX_LINE:
        raise ValueError(f"{text[:20]!r} is no GPIO line (0 to {MAX_LINE})")
    return int(text)


def read(path: Path) -> Board:
    """The board of a file. Raises BoardError."""
    try:
        with path.open(encoding="utf-8") as file:
            return parse(file.read(MAX_FILE), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise BoardError(f"{path}: {error}") from None


def find(wanted: str, directories: tuple[Path, ...] = DIRECTORIES, compatible: Path = COMPATIBLE) -> Board:
    """The board that the setting `panel.board` names: a file, a name in a directory, or with `auto` the
    one that the device tree speaks of (NONE where it speaks of none). Raises BoardError."""
    if wanted != "auto":
        if "/" in wanted:
            return read(Path(wanted))
        for directory in directories:
            if (directory / f"{wanted}.conf").is_file():
                return read(directory / f"{wanted}.conf")
        raise BoardError(f"panel.board = {wanted[:40]!r}: there is no such description")
    try:
        words = compatible.read_bytes().decode("ascii", "replace").split("\0")
    except OSError:
        return NONE
    boards = [read(path) for directory in directories for path in sorted(directory.glob("*.conf"))]
    for word in words:  # the most special one comes first
        for board in boards:
            if word and word in board.compatible:
                return board
    return NONE
