"""The health of the machine: one judgement that the LEDs, `/healthz`, the console and `status` share.

`judge` is a pure function of `Facts`; `facts` collects them from the store. A problem is a warning (mail
flows, somebody should look) or a failure (mail does not flow). `condition` adds what the machine is doing
(starting, waiting for its set-up, moving mail, updating, ending): that is what lights and console show.
"""

import datetime
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum
from pathlib import Path

from appliance.mapi.times import TICKS_PER_SECOND, from_unix_ns
from appliance.net.der import not_after
from appliance.net.running import present
from appliance.net.tls import CERTIFICATE_FILE, DIRECTORY, first_certificate
from appliance.store import queue
from appliance.store.store import Store

DAMAGED = "damaged"
"""The file in the data directory that says that the last check found faults."""

UPDATE = Path("/run/appliance-update/state")
"""The file in which the updater says `waiting` or `installing`."""

ROLES_VARIABLE = "APPLIANCE_ROLES"

STUCK = 4 * 3600
"""Seconds after which mail that still waits is worth a warning (RFC 5321 4.5.4.1 tries for days)."""

QUEUE_LOOK = 1000
"""Entries of the queue that are looked at: the oldest come first."""

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
    queue_age: int | None = None
    """How long the oldest message that is not held has waited; None: nothing waits."""
    missing_roles: tuple[str, ...] = ()
    """Roles that should run and do not."""
    damaged: bool = False
    """A check of the store found something wrong."""
    update_waiting: bool = False


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
    if facts.damaged:
        problems.append(Problem("damaged", State.FAILING, "the store is damaged: run `appliance check`"))
    if not facts.running:
        problems.append(Problem("stopped", State.FAILING, "no server is running"))
    elif facts.missing_roles:
        down = f"not running: {', '.join(facts.missing_roles)}"
        problems.append(Problem("roles", State.FAILING, down))
    if facts.certificate_days is not None and facts.certificate_days < 0:
        problems.append(Problem("certificate", State.FAILING, "the certificate has expired"))
    elif facts.certificate_days is not None and facts.certificate_days < 30:
        left = f"the certificate expires in {facts.certificate_days} days"
        problems.append(Problem("certificate", State.WARNING, left))
    if facts.queue_age is not None and facts.queue_age >= STUCK:
        waited = f"mail has waited in the queue for {facts.queue_age // 3600} hours"
        problems.append(Problem("queue", State.WARNING, waited))
    if facts.update_waiting:
        problems.append(Problem("update", State.WARNING, "an update waits to be installed"))
    return Health(max((problem.state for problem in problems), default=State.OK), tuple(problems))


class Stage(Enum):
    """Where the machine is in its life, apart from how it is."""

    BOOTING = "booting"
    SETUP = "set-up needed"
    RUNNING = "running"
    UPDATING = "updating"
    UNPLUG = "safe to unplug"


class Condition(Enum):
    """What the machine shows: one at any time. The values are what people read."""

    BOOTING = "starting"
    SETUP = "set-up needed"
    WELL = "all is well"
    MOVING = "mail is moving"
    ATTENTION = "needs attention"
    TROUBLE = "trouble"
    UPDATING = "updating: do not unplug"
    UNPLUG = "safe to unplug"


def condition(stage: Stage, health: Health, *, moving: bool = False) -> Condition:
    """What to show. Trouble is shown before anything that looks well, and movement only when all is well."""
    fixed = {
        Stage.BOOTING: Condition.BOOTING,
        Stage.SETUP: Condition.SETUP,
        Stage.UPDATING: Condition.UPDATING,
        Stage.UNPLUG: Condition.UNPLUG,
    }
    if stage in fixed:
        return fixed[stage]
    if health.state is not State.OK:
        return Condition.TROUBLE if health.state is State.FAILING else Condition.ATTENTION
    return Condition.MOVING if moving else Condition.WELL


def facts(
    store: Store,
    *,
    running: bool,
    failed: bool = False,
    certificate_days: int | None = None,
) -> Facts:
    """The facts of a store that this process has open."""
    wanted = expected_roles()
    return Facts(
        running=running,
        store_failed=failed,
        writer_moves=store.writer.ping(),
        free=store.free_bytes(),
        reserve=store.reserve_bytes(),
        certificate_days=certificate_days,
        queue_age=_queue_age(store),
        missing_roles=missing_roles(wanted, present(store.directory)) if wanted else (),
        damaged=(store.directory / DAMAGED).exists(),
        update_waiting=update() == "waiting",
    )


def update(path: Path = UPDATE) -> str:
    """`waiting`, `installing`, or nothing: what the updater says."""
    try:
        said = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return said if said in ("waiting", "installing") else ""


def mark_damaged(data: Path, damaged: bool) -> None:
    """Remember what a check of the store found, for everybody who looks at health."""
    if damaged:
        (data / DAMAGED).touch()
    else:
        (data / DAMAGED).unlink(missing_ok=True)


def _queue_age(store: Store) -> int | None:
    """Seconds that the oldest of the first QUEUE_LOOK entries has waited. A clock that ran back gives 0."""
    with store.read() as txn:
        for _, entry in zip(range(QUEUE_LOOK), queue.entries(txn), strict=False):
            if not entry.held:
                return max(0, (from_unix_ns(time.time_ns()) - entry.arrived) // TICKS_PER_SECOND)
    return None


def expected_roles() -> tuple[str, ...]:
    """The roles that this machine is meant to run, each by a process somewhere: the variable
    APPLIANCE_ROLES, which the units of larger boards set. Without it whatever runs is what was meant."""
    return tuple(os.environ.get(ROLES_VARIABLE, "").replace(",", " ").split())


def missing_roles(wanted: Iterable[str], processes: Iterable[dict[str, object]]) -> tuple[str, ...]:
    """The roles of `wanted` that none of the processes (as `running.present` lists them) runs."""
    there: set[str] = set()
    for process in processes:
        roles = process.get("roles")
        there.update(roles if isinstance(roles, list) else ())
    return tuple(role for role in wanted if role not in there)


def certificate_days(data: Path) -> int | None:
    """Days until the server's certificate ends, negative after that; None where there is none."""
    try:
        end = not_after(first_certificate((data / DIRECTORY / CERTIFICATE_FILE).read_text()))
    except (OSError, ValueError):
        return None
    return (end - datetime.datetime.now(datetime.UTC)).days
