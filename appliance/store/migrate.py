"""Changes of the store's format, in two halves around an update that may be taken back.

`expand` runs when a new release starts: it adds what the release needs and keeps what the release before
reads, so that going back is possible; the format number stays. `contract` runs once the update is confirmed:
it takes away what only the old release needed, and then the format number moves, which shuts the old release
out. A change that cannot be additive takes two releases: the first reads both forms, the second writes the
new one.

Invariants:
- A half runs in steps of one write function each and goes on after a crash where it stopped: the position
  stands in META, in the transaction of the step.
- Steps run in the order of their versions; a step's `contract` never runs before its `expand` is done.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from appliance.store.keys import SERVER, Table, pack
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.store import Store

Half = Callable[[WriteTxn, bytes], bytes | None]
"""One step of a half: from a position (empty at first) to the next, None when nothing is left."""


@dataclass(frozen=True, slots=True)
class Step:
    """How the store comes to `version` from the one before."""

    version: int
    expand: Half
    contract: Half


STEPS: tuple[Step, ...] = ()
"""Every change since format 1, by version."""

_FORMAT_KEY = pack(SERVER, Table.META, "format")
_STATE_KEY = pack(SERVER, Table.META, "migration")
_STATE = struct.Struct("<IIB")
_EXPANDING, _CONTRACTING = 1, 2


@dataclass(frozen=True, slots=True)
class State:
    """How far the store is: its format, up to which version it is expanded, and where a half stopped."""

    format: int
    expanded: int
    half: int = 0
    position: bytes = b""


def state(txn: ReadTxn) -> State:
    """The store's state."""
    version = int.from_bytes(txn.get(_FORMAT_KEY) or b"", "big")
    raw = txn.get(_STATE_KEY)
    if raw is None:
        return State(version, version)
    _, expanded, half = _STATE.unpack_from(raw)
    return State(version, max(expanded, version), half, raw[_STATE.size :])


def _put(txn: WriteTxn, new: State) -> None:
    txn.put(_FORMAT_KEY, new.format.to_bytes(4, "big"))
    txn.put(_STATE_KEY, _STATE.pack(1, new.expanded, new.half) + new.position)


def expand(store: Store, steps: tuple[Step, ...] = STEPS) -> int:
    """Bring the store to where this release can work on it; how many versions were added. Blocks; call it
    before anything is served."""
    return _run(store, steps, _EXPANDING)


def contract(store: Store, steps: tuple[Step, ...] = STEPS) -> int:
    """The update is confirmed: finish every change. The release before cannot open the store any more."""
    expand(store, steps)
    return _run(store, steps, _CONTRACTING)


def _run(store: Store, steps: tuple[Step, ...], half: int) -> int:
    done = 0
    for step in sorted(steps, key=lambda each: each.version):
        with store.read() as txn:
            known = state(txn)
        if step.version <= (known.expanded if half == _EXPANDING else known.format):
            continue
        while not store.write(lambda txn, step=step: _advance(txn, step, half)).result():  # type: ignore[misc]
            pass
        done += 1
    return done


def _advance(txn: WriteTxn, step: Step, half: int) -> bool:
    known = state(txn)
    position = known.position if known.half == half else b""
    after = (step.expand if half == _EXPANDING else step.contract)(txn, position)
    if after is not None:
        _put(txn, State(known.format, known.expanded, half, after))
        return False
    if half == _EXPANDING:
        _put(txn, State(known.format, step.version))
    else:
        _put(txn, State(step.version, max(known.expanded, step.version)))
    return True
