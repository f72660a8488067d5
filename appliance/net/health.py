"""The health of the machine: one judgement that the LEDs, `/healthz`, the console and `status` share.

`judge` is a pure function of `Facts`; `facts` collects them from the store. A problem is a warning (mail
flows, somebody should look) or a failure (mail does not flow).
"""

from dataclasses import dataclass
from enum import IntEnum

from appliance.store.store import Store

ROOM_WARNING = 4
"""Free space below this many reserves is worth a warning."""


class State(IntEnum):
    """How the machine is, from well to badly."""

    OK = 0
    WARNING = 1
    FAILING = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: a word for programs, a sentence for people."""

    kind: str
    state: State
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What health is judged by. Sizes in bytes, ages in seconds; None where nothing is known."""

    running: bool
    store_failed: bool
    writer_moves: bool
    free: int
    reserve: int
    certificate_days: int | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """The judgement."""

    state: State
    problems: tuple[Problem, ...]

    def as_json(self) -> dict[str, object]:
        """For `status --json` and `/healthz`."""
        problems = [{"kind": p.kind, "state": p.state.name.lower(), "text": p.text} for p in self.problems]
        return {"state": self.state.name.lower(), "problems": problems}


def judge(facts: Facts) -> Health:
    """Health from facts."""
    problems = []
    if facts.store_failed:
        problems.append(Problem("device", State.FAILING, "the card is failing: the store cannot be written"))
    elif not facts.writer_moves:
        problems.append(Problem("writer", State.FAILING, "the store's writer does not move"))
    if facts.free <= facts.reserve:
        problems.append(Problem("full", State.FAILING, "the disk is full: only deleting works"))
    elif facts.free < ROOM_WARNING * facts.reserve:
        problems.append(Problem("room", State.WARNING, "the disk is nearly full"))
    if not facts.running:
        problems.append(Problem("stopped", State.FAILING, "no server is running"))
    if facts.certificate_days is not None and facts.certificate_days < 0:
        problems.append(Problem("certificate", State.FAILING, "the certificate has expired"))
    elif facts.certificate_days is not None and facts.certificate_days < 30:
        left = f"the certificate expires in {facts.certificate_days} days"
        problems.append(Problem("certificate", State.WARNING, left))
    return Health(max((problem.state for problem in problems), default=State.OK), tuple(problems))


def facts(store: Store, *, running: bool, failed: bool = False, certificate_days: int | None = None) -> Facts:
    """The facts of a store that this process has open."""
    return Facts(
        running=running,
        store_failed=failed,
        writer_moves=store.writer.ping(),
        free=store.free_bytes(),
        reserve=store.reserve_bytes(),
        certificate_days=certificate_days,
    )
