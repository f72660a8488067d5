"""What a run acknowledged, what must stand in the store after it, and whether it does.

A worker writes one line of JSON when an operation begins and one when its future has resolved. Each of its
threads has one operation on the way at most and works on messages of its own, told by the token that their
bytes carry. So after a crash the store must hold, for each thread, what its finished operations add up to, or
that with the unfinished one wholly done: nothing between, nothing twice, nothing else.

`History` goes over many crashes of one store: a UID, or a folder's id, that was seen once never names
anything else, and the counters never go back.
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from appliance.mailbox.items import CLIENT_FLAGS, How
from appliance.store import blobs, contents, folders, mailboxes, messages
from appliance.store.contents import RowFlag
from appliance.store.kv import ReadTxn
from appliance.store.mailboxes import Special

Place = tuple[int, int]
Op = dict[str, Any]


@dataclass(frozen=True)
class Held:
    """One copy of a message: its token, flags and keywords."""

    token: str
    flags: int = 0
    keywords: tuple[str, ...] = ()


@dataclass
class State:
    """A thread's folders (place to name) and messages (place, UID). UIDs and folder ids below 0 are not known
    yet: their operation was not acknowledged."""

    folders: dict[Place, str] = field(default_factory=dict)
    mail: dict[Place, dict[int, Held]] = field(default_factory=dict)

    def at(self, place: Place) -> dict[int, Held]:
        """The messages of a folder."""
        return self.mail.setdefault(place, {})


def content(token: str) -> bytes:
    """The message of a token `tTHREAD.ROUND.NUMBER.SIZE`: always the same bytes, about SIZE of them."""
    size = int(token.rsplit(".", 1)[1])
    body = base64.encodebytes(hashlib.shake_128(token.encode()).digest(size * 3 // 4)).replace(b"\n", b"\r\n")
    return b"From: a@example.test\r\nSubject: %s\r\nMessage-ID: <%s@example.test>\r\n\r\n%s" % (
        token.encode(),
        token.encode(),
        body,
    )


def token_of(raw: bytes) -> str:
    """The token that a stored message carries."""
    return raw.partition(b"Message-ID: <")[2].partition(b"@")[0].decode()


def thread_of(token: str) -> int:
    """The thread that a token belongs to."""
    return int(token[1:].partition(".")[0])


# -- what operations do --------------------------------------------------------------------------------


def apply(state: State, op: Op, result: Any) -> None:
    """Bring the state forward by one operation. Without a result (None), new ids count down from -1."""
    _EFFECTS[op["op"]](state, op, result)


def _fresh(result: Any, count: int) -> list[int]:
    return list(result) if result is not None else list(range(-1, -1 - count, -1))


def _deliver(state: State, op: Op, result: Any) -> None:
    for mailbox, uid in zip(op["mailboxes"], _fresh(result, len(op["mailboxes"])), strict=True):
        state.at((mailbox, Special.INBOX))[uid] = Held(op["token"])


def _append(state: State, op: Op, result: Any) -> None:
    held = Held(op["token"], op["flags"], tuple(op["keywords"]))
    state.at(tuple(op["place"]))[_fresh(result, 1)[0]] = held


def _flags(state: State, op: Op, result: Any) -> None:
    at, how = state.at(tuple(op["place"])), How(op["how"])
    for uid in op["uids"]:
        old, keywords = at[uid], tuple(op["keywords"])
        if how is How.ADD:
            kept = old.keywords + tuple(k for k in keywords if k not in old.keywords)
            at[uid] = Held(old.token, old.flags | op["flags"], kept)
        elif how is How.REMOVE:
            kept = tuple(k for k in old.keywords if k not in keywords)
            at[uid] = Held(old.token, old.flags & ~op["flags"], kept)
        else:
            at[uid] = Held(old.token, op["flags"], keywords)


def _copy(state: State, op: Op, result: Any) -> None:
    source, to = state.at(tuple(op["place"])), state.at(tuple(op["to"]))
    held = [source[uid] for uid in op["uids"]]
    if op["op"] == "move":
        for uid in op["uids"]:
            del source[uid]
    for new, one in zip(_fresh(result, len(held)), held, strict=True):
        to[new] = one


def _expunge(state: State, op: Op, result: Any) -> None:
    at = state.at(tuple(op["place"]))
    gone = [uid for uid in op["uids"] if at[uid].flags & RowFlag.DELETED]
    assert result is None or result == gone, (result, gone)
    for uid in gone:
        del at[uid]


def _create(state: State, op: Op, result: Any) -> None:
    fid = _fresh(result, 1)[0]
    state.folders[op["mailbox"], fid] = op["name"]


def _rename(state: State, op: Op, result: Any) -> None:
    state.folders[tuple(op["place"])] = op["name"]


def _remove(state: State, op: Op, result: Any) -> None:
    place = tuple(op["place"])
    del state.folders[place]
    state.mail.pop(place, None)


def _nothing(state: State, op: Op, result: Any) -> None:
    """An upload that was given up, a purge: nothing that a client sees."""


_EFFECTS = {
    "deliver": _deliver,
    "append": _append,
    "flags": _flags,
    "copy": _copy,
    "move": _copy,
    "expunge": _expunge,
    "create": _create,
    "rename": _rename,
    "remove": _remove,
    "abandon": _nothing,
    "purge": _nothing,
}


# -- what was acknowledged, what is there ---------------------------------------------------------------


class Broken(AssertionError):
    """The store does not hold what was acknowledged."""


@dataclass
class Run:
    """The lines of one run: for each thread the finished operations with their results, and the unfinished
    one. `fault` is what went wrong in the worker itself."""

    done: dict[int, list[tuple[Op, Any]]] = field(default_factory=dict)
    open: dict[int, Op] = field(default_factory=dict)
    fault: str = ""

    @classmethod
    def of(cls, raw: bytes) -> "Run":
        """Read the lines of a worker; the last one may have been cut off."""
        run = cls()
        for line in raw.split(b"\n")[:-1]:
            said = json.loads(line)
            if "fault" in said:
                run.fault = said["fault"]
            elif "begin" in said:
                run.open[said["thread"]] = said["begin"]
            elif "done" in said:
                op = run.open.pop(said["thread"])
                run.done.setdefault(said["thread"], []).append((op, said["done"]))
        return run

    @property
    def acknowledged(self) -> int:
        """How many operations were."""
        return sum(map(len, self.done.values()))


def actual(txn: ReadTxn) -> dict[int, State]:
    """What stands in the store, by thread. Raises Broken for bytes that are not those of their token."""
    states: dict[int, State] = {}
    for identity in mailboxes.identities(txn):
        mailbox = identity.number
        for folder in folders.walk(txn, mailbox):
            if folder.name.startswith("w"):
                owner = int(folder.name[1:].partition("-")[0])
                states.setdefault(owner, State()).folders[mailbox, folder.fid] = folder.name
            for row in contents.rows(txn, mailbox, folder.fid):
                raw = messages.read(txn, mailbox, row)[row.prefix :]
                token = token_of(raw)
                if raw != content(token):
                    raise Broken(f"message {token} ({row.uid} in {folder.name}) has other bytes")
                held = Held(token, int(row.flags & CLIENT_FLAGS), row.keywords)
                states.setdefault(thread_of(token), State()).at((mailbox, folder.fid))[row.uid] = held
    return states


def difference(expected: State, found: State, taken: dict[tuple[int, int, int], str]) -> str:
    """In what the state found differs from the one expected; empty where in nothing."""
    names = {(mailbox, name): fid for (mailbox, fid), name in found.folders.items()}
    known = {}
    for (mailbox, fid), name in expected.folders.items():
        if fid < 0:
            fid = names.get((mailbox, name), 0)
        known[mailbox, fid] = name
    if known != found.folders:
        return f"folders {known} expected, {found.folders} found"
    places = {place for mail in (expected.mail, found.mail) for place, held in mail.items() if held}
    for place in places:
        want, have = expected.mail.get(place, {}), found.mail.get(place, {})
        for uid, held in want.items():
            if uid > 0 and have.get(uid) != held:
                return f"{place} UID {uid}: {held} expected, {have.get(uid)} found"
        new = {uid: held for uid, held in have.items() if uid not in want}
        if Counter(new.values()) != Counter(held for uid, held in want.items() if uid < 0):
            return f"{place}: {new} found beside what was expected"
        again = [uid for uid in new if (*place, uid) in taken]
        if again:
            return f"{place}: UIDs {again} are used again"
    return ""


@dataclass
class History:
    """What was ever seen of a store."""

    states: dict[int, State] = field(default_factory=dict)
    taken: dict[tuple[int, int, int], str] = field(default_factory=dict)
    """(mailbox, folder, UID): the token that it named."""
    made: dict[Place, str] = field(default_factory=dict)
    """Folder: the operation that made it."""
    counters: dict[Place, tuple[int, int, int]] = field(default_factory=dict)
    """(mailbox, folder): UIDVALIDITY, UIDNEXT and HIGHESTMODSEQ; folder 0: the mailbox's counter."""

    def replay(self, run: Run) -> None:
        """Bring the expected states forward by what a run acknowledged. Raises Broken."""
        for thread, done in run.done.items():
            state = self.states.setdefault(thread, State())
            for number, (op, result) in enumerate(done):
                if op["op"] == "create":
                    place = (op["mailbox"], result[0])
                    if self.made.setdefault(place, f"{thread}.{op['name']}.{number}") != (
                        f"{thread}.{op['name']}.{number}"
                    ):
                        raise Broken(f"folder id {place} is given out again")
                apply(state, op, result)
                self._take(state)

    def _take(self, state: State) -> None:
        for place, mail in state.mail.items():
            for uid, held in mail.items():
                if uid > 0 and self.taken.setdefault((*place, uid), held.token) != held.token:
                    raise Broken(f"{place}: UID {uid} is used again, for {held.token}")

    def verify(self, txn: ReadTxn, run: Run) -> None:
        """Compare the store with what was acknowledged; afterwards the store's state is the expected one.
        Raises Broken."""
        found = actual(txn)
        for thread in self.states.keys() | found.keys() | run.open.keys():
            have = found.get(thread, State())
            want = self.states.get(thread, State())
            wrong = difference(want, have, self.taken)
            if wrong and thread in run.open:
                after = deepcopy(want)
                apply(after, run.open[thread], None)
                wrong = difference(after, have, self.taken) and f"{wrong}; if it was done: {after}"
            if wrong:
                raise Broken(f"thread {thread}, unfinished {run.open.get(thread)}: {wrong}")
            self._take(have)
        self.states = found
        self._count(txn)

    def _count(self, txn: ReadTxn) -> None:
        highest: dict[Place, int] = {}
        for mailbox, fid, uid in self.taken:
            highest[mailbox, fid] = max(uid, highest.get((mailbox, fid), 0))
        for identity in mailboxes.identities(txn):
            mailbox = identity.number
            self._forward((mailbox, 0), (0, 0, mailboxes.get(txn, mailbox).counter))
            for folder in folders.walk(txn, mailbox):
                place = (mailbox, folder.fid)
                self._forward(place, (folder.uidvalidity, folder.uidnext, folder.contents_mod))
                if folder.uidnext <= highest.get(place, 0):
                    raise Broken(f"{place}: UIDNEXT {folder.uidnext}, UID {highest[place]} was given out")

    def _forward(self, place: Place, now: tuple[int, int, int]) -> None:
        before = self.counters.get(place, now)
        if now[0] != before[0] or now[1] < before[1] or now[2] < before[2]:
            raise Broken(f"{place}: counters {before} went to {now}")
        self.counters[place] = now


def leases(txn: ReadTxn) -> Iterable[int]:
    """Blobs whose writers died before they bound them."""
    return blobs.leased(txn)
