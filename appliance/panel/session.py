"""A session: one terminal, one dialogue, one clock that others turn. No line, no process, no thread.

The driver feeds bytes and takes bytes; it runs the command that `wanted` names and gives the result to
`finished`; it calls `tick` every second or so. Nothing that a person types or that a dialogue does comes out
as an exception: a fault in a dialogue is logged and said in one line, and the dialogue begins anew.
"""

import logging
from collections.abc import Callable

from appliance.net.log import event
from appliance.panel.dialogue import Ask, Cancelled, Dialogue, LoggedOut, Result, Run, Say, Step, Wait
from appliance.panel.terminal import Key, Terminal

STEPS = 10_000
"""Steps that a dialogue may take without waiting for anything: more is a fault."""

_log = logging.getLogger(__name__)


class Session:
    """A terminal with somebody at it, or nobody. `begin` makes the dialogue that runs for ever."""

    def __init__(self, begin: Callable[[], Dialogue[None]], *, idle: float, name: str) -> None:
        self._begin, self._idle, self.name = begin, idle, name
        self.terminal = Terminal()
        self.wanted: Run | None = None
        self.ended = False
        self._dialogue: Dialogue[None] | None = None
        self._asking: Ask | None = None
        self._until: float | None = None
        self._heard = 0.0
        self._now = 0.0
        self._wanted_number = 0

    # -- what the driver calls ------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Begin, or begin anew after the line was lost."""
        self._now = self._heard = now
        self.terminal.reset()
        self._restart()

    def feed(self, data: bytes, now: float) -> None:
        """Bytes from the line."""
        if self.ended:
            return
        self._now = self._heard = now
        finished = self.terminal.feed(data)
        if self._asking is None:
            if self._until is None and self.terminal.interrupted():
                self.terminal.write("^C: please wait\n")
            return
        self._take(finished)

    def finished(self, number: int, result: Result) -> None:
        """The command that `wanted` named has ended; `number` is what `number` was when it began. A result
        that nobody waits for any more is dropped."""
        if self.wanted is not None and number == self._wanted_number:
            self.wanted = None
            self._advance(result)

    @property
    def number(self) -> int:
        """Tells one wanted command from the next."""
        return self._wanted_number

    def tick(self, now: float) -> None:
        """Time passes."""
        self._now = now
        if self._until is not None and now >= self._until:
            self._until = None
            self._advance(None)
        elif self._asking is not None and now - self._heard >= self._idle:
            self._heard = now
            self._throw(LoggedOut())

    def hang_up(self) -> None:
        """The line is gone: whoever comes next begins anew."""
        self._close()
        self.terminal.reset()
        self.terminal.take()

    def notice(self, text: str) -> None:
        """A message between the lines of the dialogue, as when somebody presses the button."""
        self.terminal.write("\n" + text + "\n")
        if self._asking is not None:
            self.terminal.ask(self._asking.prompt, secret=self._asking.secret)

    # -- the dialogue ---------------------------------------------------------------------------------

    def _close(self) -> None:
        if self._dialogue is not None:
            self._dialogue.close()
        self._dialogue, self._asking, self._until, self.wanted = None, None, None, None

    def _restart(self) -> None:
        self._close()
        self._dialogue = self._begin()
        self._advance(None)

    def _take(self, finished: str | Key | None) -> None:
        if finished is None:
            return
        self._asking = None
        if isinstance(finished, Key):
            self._throw(_KEYS[finished]())
        else:
            self._advance(finished)

    def _throw(self, error: Exception) -> None:
        self._asking = None
        self._go(_thrower(error))

    def _advance(self, value: object) -> None:
        self._go(_sender(value))

    def _go(self, move: Callable[[Dialogue[None]], Step]) -> None:
        """Move the dialogue on until it waits for something."""
        for _ in range(STEPS):
            if self._dialogue is None:
                return
            try:
                step = move(self._dialogue)
            except StopIteration:
                self._dialogue, self.ended = None, True
                return
            except (Cancelled, LoggedOut):
                self.terminal.reset()
                self._dialogue = self._begin()
                move = _first
                continue
            except Exception as error:
                event(_log, logging.ERROR, "a dialogue failed", line=self.name, reason=repr(error))
                self.terminal.reset()
                self.terminal.write("\nThis went wrong here, not on your side. From the beginning, please.\n")
                self._dialogue = _after_fault(self._begin)
                move = _first
                continue
            value = self._step(step)
            if value is _WAITING:
                return
            move = _thrower(value) if isinstance(value, Exception) else _sender(value)
        raise AssertionError(f"{self.name}: a dialogue that never waits")

    def _step(self, step: Step) -> object:
        """Do a step: what it brings, an exception to raise at it, or _WAITING."""
        if isinstance(step, Say):
            self.terminal.write(step.text)
            return None
        if isinstance(step, Run):
            self.wanted = step
            self._wanted_number += 1
            return _WAITING
        if isinstance(step, Wait):
            self._until = self._now + step.seconds
            return _WAITING
        self.terminal.ask(step.prompt, secret=step.secret, fresh=step.fresh)
        finished = self.terminal.ahead()
        if finished is None:
            self._asking = step
            return _WAITING
        return finished if isinstance(finished, str) else _KEYS[finished]()


_KEYS: dict[Key, type[Exception]] = {Key.INTERRUPT: Cancelled, Key.END: LoggedOut}
_WAITING = object()


def _first(dialogue: Dialogue[None]) -> Step:
    return next(dialogue)


def _sender(value: object) -> Callable[[Dialogue[None]], Step]:
    return lambda dialogue: dialogue.send(value)


def _thrower(error: Exception) -> Callable[[Dialogue[None]], Step]:
    return lambda dialogue: dialogue.throw(error)


def _after_fault(begin: Callable[[], Dialogue[None]]) -> Dialogue[None]:
    """A pause, so that a dialogue that fails at once does not do so for ever."""
    yield Wait(3.0)
    yield from begin()
