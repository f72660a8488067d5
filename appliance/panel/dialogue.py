"""Dialogues: generators that say, ask and run commands, and know nothing of lines, terminals and processes.

A dialogue reads like a program for one person at one terminal; `session.Session` drives it, as fast as
answers and results come. It yields a `Step` and gets what the step brings: `Say` nothing, `Ask` the line
that was typed, `Run` the `Result` of an `appliance` command. Control-C raises Cancelled at the step that
waits; typing `<` where a question allows it raises Back.
"""

import textwrap
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from appliance.panel.terminal import HEIGHT, WIDTH

T = TypeVar("T")
PAGE = HEIGHT - 3
TRIES = 100
"""Wrong answers to one question in a row: then it is noise, not a person."""

COMMAND_TIME = 120.0
"""Seconds that a command may take, unless its dialogue says otherwise."""


class Cancelled(Exception):
    """The person left the dialogue."""


class Back(Exception):
    """The person wants the question before."""


class LoggedOut(Exception):
    """The person logged out, or was silent for too long."""


@dataclass(frozen=True, slots=True)
class Say:
    """Print text; lines end where it says so."""

    text: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for a line. `secret`: without echo; `fresh`: what was typed before it does not count."""

    prompt: str
    secret: bool = False
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """Run `appliance ARGUMENTS`, with this standard input."""

    arguments: tuple[str, ...]
    stdin: str = ""
    seconds: float = COMMAND_TIME


NO_PASSWORD = "no administrator's password is set"
WRONG_PASSWORD = "that is not the administrator's password"
"""What `admin show` and `admin verify` say. Any other failure of theirs tells nothing about the password."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for some seconds, whatever is typed."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended: its exit code, what it printed, and why it was refused."""

    code: int
    output: str = ""
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether it did what it was asked."""
        return self.code == 0


Step = Say | Ask | Run | Wait
Dialogue = Generator[Step, Any, T]


def say(*lines: str) -> Dialogue[None]:
    """Print lines, folded at the terminal's width."""
    yield Say("".join(fold(line) + "\n" for line in lines))


def fold(line: str) -> str:
    """A line broken at words so that it fits, further lines indented like the first."""
    if len(line) < WIDTH:
        return line
    indent = " " * (len(line) - len(line.lstrip(" ")))
    return textwrap.fill(line, WIDTH - 1, subsequent_indent=indent, break_on_hyphens=False)


def title(text: str) -> Dialogue[None]:
    """A heading."""
    yield Say(f"\n-- {text} {'-' * (WIDTH - 6 - len(text))}\n")


def ask(
    prompt: str,
    check: Callable[[str], T],
    *,
    default: str = "",
    secret: bool = False,
    fresh: bool = False,
    back: bool = False,
    help_text: str = "",
) -> Dialogue[T]:
    """Ask until `check` takes the answer; it raises ValueError with what is wrong. An empty answer is the
    default, `?` shows help, `<` goes back where `back` says so."""
    shown = f"{prompt} [{default}]: " if default else f"{prompt}: "
    for _ in range(TRIES):
        text = yield Ask(shown, secret, fresh)
        text = text if secret else text.strip()
        if back and text == "<":
            raise Back
        if text == "?" and not secret:
            yield from say(f"  {help_text or 'There is no more to say about this.'}")
            continue
        try:
            return check(text or default)
        except ValueError as error:
            yield from say(f"  {sentence(str(error))}")
            fresh = True  # what was pasted after a wrong answer was meant for other questions
    raise Cancelled


def sentence(text: str) -> str:
    """A reason as a sentence."""
    text = " ".join(text.split()) or "this cannot be"
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def confirm(
    prompt: str, *, default: bool | None = None, fresh: bool = False, back: bool = False
) -> Dialogue[bool]:
    """Yes or no."""
    words = {"y": True, "yes": True, "n": False, "no": False}

    def check(text: str) -> bool:
        if text.lower() not in words:
            raise ValueError("please answer yes or no")
        return words[text.lower()]

    shown = "" if default is None else "yes" if default else "no"
    return (yield from ask(f"{prompt} (yes/no)", check, default=shown, fresh=fresh, back=back))


def choose(
    prompt: str, options: Sequence[str], *, default: int | None = None, back: bool = False
) -> Dialogue[int]:
    """One of some lines, by number from 1; the index from 0."""
    yield from say(*(f"  {number:2}  {option}" for number, option in enumerate(options, 1)))

    def check(text: str) -> int:
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= len(options)):
            raise ValueError(f"please type a number from 1 to {len(options)}")
        return int(text) - 1

    shown = "" if default is None else str(default + 1)
    return (yield from ask(prompt, check, default=shown, back=back))


def new_password(prompt: str, check: Callable[[str], str], *, back: bool = False) -> Dialogue[str]:
    """A password, twice."""
    for _ in range(TRIES):
        first: str = yield from ask(prompt, check, secret=True, back=back)
        again = yield Ask("The same again: ", True, False)
        if again == first:
            return first
        yield from say("  These two were not the same. Once more, please.")
    raise Cancelled


def page(text: str) -> Dialogue[None]:
    """Print text, a screen at a time."""
    lines = [part for line in columns(text).splitlines() for part in fold(line).split("\n")]
    while True:
        yield Say("".join(line + "\n" for line in lines[:PAGE]))
        lines = lines[PAGE:]
        if not lines:
            return
        answer = yield Ask(f"-- {len(lines)} more lines: Return goes on, q ends -- ")
        if answer.strip().lower().startswith("q"):
            return


def columns(text: str) -> str:
    """Lines with tabs as aligned columns, cut where they would not fit."""
    rows = [line.split("\t") for line in text.splitlines()]
    tables = [row for row in rows if len(row) > 1]
    widths: dict[int, int] = {}
    for row in tables:
        for index, cell in enumerate(row):
            widths[index] = max(widths.get(index, 0), min(len(cell), WIDTH // 2))
    lines = []
    for row in rows:
        if len(row) == 1:
            lines.append(row[0])
        else:
            cells = (f"{cell[: widths[index]]:{widths[index]}}" for index, cell in enumerate(row))
            lines.append("  ".join(cells).rstrip()[: WIDTH - 1])
    return "\n".join(lines)


def run(*arguments: str, stdin: str = "", seconds: float = COMMAND_TIME) -> Dialogue[Result]:
    """Run a command and bring its result."""
    result: Result = yield Run(arguments, stdin, seconds)
    return result


def show(
    *arguments: str, empty: str = "Nothing.", stdin: str = "", seconds: float = COMMAND_TIME
) -> Dialogue[bool]:
    """Run a command and print what it printed, or why it was refused; whether it went well."""
    result = yield from run(*arguments, stdin=stdin, seconds=seconds)
    if result.output.strip():
        yield from page(result.output)
    elif result.ok:
        yield from say(empty)
    if not result.ok:
        yield from say(f"Refused: {sentence(result.reason)}")
    elif result.reason:
        yield from say(sentence(result.reason))
    return result.ok


def do(
    *arguments: str, done: str = "Done.", stdin: str = "", seconds: float = COMMAND_TIME
) -> Dialogue[bool]:
    """Run a command that changes something; whether it went well."""
    return (yield from show(*arguments, empty=done, stdin=stdin, seconds=seconds))
