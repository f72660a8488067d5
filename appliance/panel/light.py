"""The language of light: what the lights do in each condition of the machine.

Rhythm carries the meaning, colour only repeats it, so that a colour-blind person, or a board with a single
light, loses nothing. No rhythm flashes more than three times a second. `levels` is a pure function of
condition and time; `reference` writes the table of the manual from the same data.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from appliance.net.health import Condition


@dataclass(frozen=True, slots=True)
class Step:
    """A light's level (0 dark to 1 full) for some seconds."""

    level: float
    seconds: float


Rhythm = tuple[Step, ...]
"""Steps that repeat."""


def _on(seconds: float) -> Step:
    return Step(1.0, seconds)


def _off(seconds: float) -> Step:
    return Step(0.0, seconds)


DARK: Rhythm = (_off(1),)
STEADY: Rhythm = (_on(1),)
EVEN: Rhythm = (_on(1), _off(1))
PAIRS: Rhythm = (_on(0.2), _off(0.3), _on(0.2), _off(1.3))
WINK: Rhythm = (_on(0.8), _off(0.2))
LONE: Rhythm = (_on(0.3), _off(2.7))
QUICK: Rhythm = (_on(0.2), _off(0.2))
LONG_SHORT: Rhythm = (_on(1.4), _off(0.3), _on(0.3), _off(0.3), _on(0.3), _off(0.4))
COUNTING: Rhythm = (_on(0.5), _off(0.5))
TRIPLE: Rhythm = (_on(0.2), _off(0.2), _on(0.2), _off(0.2), _on(0.2), _off(1.0))


class Answer(Enum):
    """What the lights say to somebody at the button, before all else. The values are for people."""

    SHUTDOWN = "let go now to shut down"
    RESET = "let go, then press three times to erase everything"
    ENDING = "shutting down: wait"
    CONFIRM = "press three times to erase everything"


@dataclass(frozen=True, slots=True)
class Sign:
    """What one condition looks like: the rhythm of a single light, and of each of three."""

    rhythm: str
    only: Rhythm
    three: Mapping[str, Rhythm]


SIGNS: dict[Condition | Answer, Sign] = {
    Condition.BOOTING: Sign("slow, even: one second on, one off", EVEN, {"green": EVEN}),
    Condition.SETUP: Sign("pairs of flashes", PAIRS, {"amber": PAIRS}),
    Condition.WELL: Sign("steady", STEADY, {"green": STEADY}),
    Condition.MOVING: Sign("steady, with a wink each second", WINK, {"green": WINK}),
    Condition.ATTENTION: Sign("one flash every three seconds", LONE, {"green": STEADY, "amber": LONE}),
    Condition.TROUBLE: Sign("quick, without a pause", QUICK, {"red": QUICK}),
    Condition.UPDATING: Sign("long, short, short", LONG_SHORT, {"amber": LONG_SHORT}),
    Condition.UNPLUG: Sign("dark", DARK, {"amber": STEADY}),
    Answer.SHUTDOWN: Sign("even, half a second each", COUNTING, {"amber": COUNTING}),
    Answer.ENDING: Sign("even, half a second each", COUNTING, {"green": COUNTING, "amber": COUNTING}),
    Answer.RESET: Sign("three flashes, pause", TRIPLE, {"red": TRIPLE, "amber": TRIPLE}),
    Answer.CONFIRM: Sign("three flashes, pause", TRIPLE, {"red": TRIPLE}),
}


def levels(shown: Condition | Answer, lights: Mapping[str, int], seconds: float) -> dict[str, float]:
    """The level of each of the board's lights, `seconds` after the sign began."""
    sign = SIGNS[shown]
    return {
        name: level(sign.only if name == "only" else sign.three.get(name, DARK), seconds) for name in lights
    }


def level(rhythm: Rhythm, seconds: float) -> float:
    """The level of a rhythm at a time."""
    return _place(rhythm, seconds)[0]


def until_next(shown: Condition | Answer, seconds: float) -> float:
    """Seconds until some light changes: when to look again. At most a second."""
    sign = SIGNS[shown]
    waits = (_place(rhythm, seconds)[1] for rhythm in (sign.only, *sign.three.values()))
    return min(1000, *waits) / 1000


def _place(rhythm: Rhythm, seconds: float) -> tuple[float, int]:
    """The level at a time, and the milliseconds that it lasts yet."""
    lengths = [round(step.seconds * 1000) for step in rhythm]
    left = round(seconds * 1000) % sum(lengths)
    for step, length in zip(rhythm, lengths, strict=True):
        if left < length:
            return step.level, length - left
        left -= length
    raise AssertionError("a remainder is less than the whole")


def reference() -> str:
    """The page of the manual, in Markdown."""
    lines = [
        "# What the lights say",
        "",
        "The rhythm says it; the colour says it again. A board with one light shows the rhythm alone.",
        "",
        "| it means | rhythm | of three lights |",
        "| --- | --- | --- |",
    ]
    for shown, sign in SIGNS.items():
        colours = " and ".join(
            f"{name}{' steady' if rhythm is STEADY and sign.only is not STEADY else ''}"
            for name, rhythm in sign.three.items()
        )
        lines.append(f"| {shown.value} | {sign.rhythm} | {colours} |")
    lines += [
        "",
        "The button: a short press shows the address on the console. Held for four seconds until the",
        "lights answer, then let go: the machine shuts down. Held for fifteen seconds, let go, and then",
        "pressed three times within fifteen seconds: everything on the machine is erased.",
    ]
    return "\n".join(lines)
