"""The button: what a person means by pressing it. A state machine without a clock or a line of its own.

Rules:
- Changes shorter than BOUNCE are no presses.
- Let go before SHORT: show the address on the console.
- Held for LONG and let go before RESET: shut down. While it is held, the lights say so (`hint`), so that
  nobody has to count; letting go between SHORT and LONG means nothing.
- Held for RESET and let go: the lights ask; CONFIRMATIONS short presses within CONFIRM_TIME erase everything.
  A press that is not short, or no press, and it is forgotten.
- Held beyond STUCK it is a broken button: nothing happens, now or when it comes free.
- A button that is down at the start counts from its first release.
"""

from enum import Enum

from appliance.panel.light import Answer

BOUNCE = 0.03
SHORT = 1.5
LONG = 4.0
RESET = 15.0
STUCK = 60.0
CONFIRMATIONS = 3
CONFIRM_TIME = 15.0
"""All in seconds, but for CONFIRMATIONS."""


class Gesture(Enum):
    """What a person asked for."""

    SHOW_ADDRESS = "show address"
    SHUT_DOWN = "shut down"
    FACTORY_RESET = "factory reset"


class Button:
    """The state of one button. Times are seconds of one clock that never runs back."""

    def __init__(self, down: bool = False) -> None:
        self._ignored = down
        self._down = down
        self._since = 0.0
        self._asked_until: float | None = None
        self._confirmed = 0

    @property
    def down(self) -> bool:
        """Whether it is held now."""
        return self._down

    def change(self, down: bool, now: float) -> Gesture | None:
        """The button went down or up."""
        if down == self._down:
            return None
        self._down = down
        if down:
            self._since = now
            return None
        if self._ignored:
            self._ignored = False
            return None
        return self._released(now - self._since, now)

    def _released(self, held: float, now: float) -> Gesture | None:
        if held < BOUNCE:
            return None
        if self._asked_until is not None:
            return self._answer(held, now)
        if held < SHORT:
            return Gesture.SHOW_ADDRESS
        if LONG <= held < RESET:
            return Gesture.SHUT_DOWN
        if RESET <= held < STUCK:
            self._asked_until, self._confirmed = now + CONFIRM_TIME, 0
        return None

    def _answer(self, held: float, now: float) -> Gesture | None:
        """A press while the lights ask."""
        late = self._asked_until is None or now > self._asked_until
        if held >= SHORT or late:
            self._asked_until = None
            return None
        self._confirmed += 1
        if self._confirmed < CONFIRMATIONS:
            return None
        self._asked_until = None
        return Gesture.FACTORY_RESET

    def hint(self, now: float) -> Answer | None:
        """What the lights answer now, if anything."""
        if self._asked_until is not None:
            if now <= self._asked_until:
                return Answer.CONFIRM
            if not self._down:
                self._asked_until = None
            return None
        held = now - self._since
        if not self._down or self._ignored or held < LONG or held >= STUCK:
            return None
        return Answer.SHUTDOWN if held < RESET else Answer.RESET
