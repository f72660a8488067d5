"""Rounds of SIGKILL on the real server under SMTP, IMAP and POP3 load from clients that are not ours.

Every client keeps count of what it was answered. After the kill and a new start, IMAP tells what is there:
mail that SMTP took stands once in each inbox, IMAP folders are as the last answers left them (or with the one
command that was not answered wholly done), mail that POP3 deleted and took leave of is gone.
"""

import contextlib
import imaplib
import poplib
import random
import re
import smtplib
import threading
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

from appliance.store.contents import RowFlag
from tests import served
from tests.crash import ledger
from tests.crash.ledger import Broken, Held, Op, State
from tests.served import Served, address

DEADLINE = 60.0
LOST = (OSError, EOFError, imaplib.IMAP4.abort, smtplib.SMTPServerDisconnected)
"""What a client meets when the server is killed."""

SIZES = (300, 1500, 5000, 5000, 60_000, 400_000)
BOXES = ("One", "Two")
_NAMES = {
    RowFlag.SEEN: "\\Seen",
    RowFlag.ANSWERED: "\\Answered",
    RowFlag.FLAGGED: "\\Flagged",
    RowFlag.DELETED: "\\Deleted",
}
_BITS = {name: flag for flag, name in _NAMES.items()}


class Client:
    """A client in a thread of its own. `fault` is an answer that it did not expect."""

    def __init__(self, number: int, seed: int, counted: "Counted") -> None:
        self.number, self.seed = number, seed
        self.rng = random.Random(seed * 100 + number)
        self.serial = 0
        self.fault = ""
        self._counted = counted
        self._thread = threading.Thread(target=self._run)

    def start(self, server: Served) -> None:
        """Begin."""
        self._server = server
        self._thread.start()

    def join(self) -> None:
        """Wait for the end, which the end of the server brings. Raises Broken."""
        self._thread.join(DEADLINE)
        if self._thread.is_alive() or self.fault:
            raise Broken(f"client {self.number}: {self.fault or 'it does not end'}")

    def _run(self) -> None:
        try:
            self.work(self._server)
        except LOST:
            pass
        except poplib.error_proto as error:
            if "EOF" not in str(error):
                self.fault = repr(error)
        except Exception as error:
            self.fault = repr(error)
        finally:
            self._counted.up(1 << 30 if self.fault else 0)

    def work(self, server: Served) -> None:
        """Load the server until it is gone."""
        raise NotImplementedError

    def token(self) -> str:
        """A new message's."""
        self.serial += 1
        return f"t{self.number}.{self.seed}.{self.serial}.{self.rng.choice(SIZES)}"

    def answered(self) -> None:
        """Count an acknowledgement."""
        self._counted.up(1)


class Counted:
    """Lets the killer wait for a number of acknowledgements."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self.count = 0

    def up(self, by: int) -> None:
        """There are more."""
        with self._condition:
            self.count += by
            self._condition.notify_all()

    def reach(self, count: int) -> None:
        """Wait for that many. Raises Broken."""
        with self._condition:
            if not self._condition.wait_for(lambda: self.count >= count, DEADLINE):
                raise Broken(f"{self.count} answers in {DEADLINE} s, {count} expected")


class Sender(Client):
    """Sends mail to everybody over SMTP."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.taken: list[tuple[str, tuple[str, ...]]] = []
        self.open: tuple[str, tuple[str, ...]] | None = None

    def work(self, server: Served) -> None:
        client = server.smtp()
        with contextlib.closing(client):
            while True:
                to = tuple(self.rng.sample(served.PEOPLE, self.rng.randint(1, 3)))
                self.open = (self.token(), to)
                content = ledger.content(self.open[0])
                client.sendmail("sender@elsewhere.example", [address(who) for who in to], content)
                self.taken.append(self.open)
                self.open = None
                self.answered()


class Organizer(Client):
    """Appends, flags, copies, moves and expunges in two folders of its own over IMAP."""

    def __init__(self, number: int, seed: int, counted: Counted, state: State) -> None:
        super().__init__(number, seed, counted)
        self.state = state
        self.open: Op | None = None

    @property
    def who(self) -> str:
        """Whose mailbox it works in."""
        return served.PEOPLE[self.number % len(served.PEOPLE)]

    def folder(self, box: str) -> str:
        """The name of one of its folders."""
        return f"{box}-{self.number}"

    def work(self, server: Served) -> None:
        client = server.imap(self.who)
        with contextlib.ExitStack() as stack:
            stack.callback(client.shutdown)
            for box in BOXES:
                client.create(self.folder(box))
            while True:
                self.open = self._draw()
                result = self._do(client, self.open)
                ledger.apply(self.state, self.open, result)
                self.open = None
                self.answered()

    def _draw(self) -> Op:
        place = (self.number, self.rng.choice(BOXES))
        held = self.state.at(place)
        kind = self.rng.choice(("append", "append", "flags", "flags", "copy", "move", "expunge"))
        if kind == "append" or not held:
            flags = int(self.rng.choice((RowFlag.NONE, *_NAMES)))
            return {"op": "append", "token": self.token(), "place": place, "flags": flags, "keywords": ()}
        uids = sorted(self.rng.sample(sorted(held), self.rng.randint(1, min(4, len(held)))))
        op: Op = {"op": kind, "place": place, "uids": uids, "keywords": ()}
        if kind == "flags":
            op |= {"how": self.rng.choice("+-="), "flags": int(self.rng.choice(list(_NAMES)))}
        elif kind in ("copy", "move"):
            op["to"] = (self.number, BOXES[1 - BOXES.index(place[1])])
        return op

    def _do(self, client: imaplib.IMAP4, op: Op) -> Any:
        box = self.folder(op["place"][1])
        if op["op"] == "append":
            flags = f"({_NAMES.get(RowFlag(op['flags']), '')})"
            said = _ok(client.append(box, flags, "", ledger.content(op["token"])))  # type: ignore[arg-type]
            return _set(said, rb"APPENDUID \d+ (\S+)\]")
        _ok(client.select(box))
        uids = ",".join(map(str, op["uids"]))
        if op["op"] == "flags":
            how = op["how"].replace("=", "") + "FLAGS.SILENT"
            _ok(client.uid("STORE", uids, how, f"({_NAMES[RowFlag(op['flags'])]})"))
            return op["uids"]
        if op["op"] == "expunge":
            _ok(client.uid("EXPUNGE", uids))
            held = self.state.at(tuple(op["place"]))
            return [uid for uid in op["uids"] if held[uid].flags & RowFlag.DELETED]
        client.untagged_responses.clear()
        answer = client.uid(op["op"].upper(), uids, self.folder(op["to"][1]))
        said = b" ".join(part for part in client.response("COPYUID")[1] if part) or _ok(answer)
        return _set(said, rb"\d+ \S+ (\S+?)\]?$")

    def found(self, server: Served) -> State:
        """What stands in its folders now."""
        state = State()
        client = server.imap(self.who)
        for box in BOXES:
            if client.select(self.folder(box), readonly=True)[0] == "OK":
                state.mail[self.number, box] = dict(_messages(client))  # type: ignore[index]
        client.logout()
        return state

    def verify(self, server: Served, taken: dict[Any, str]) -> None:
        """Compare with what was answered. Raises Broken."""
        found = self.found(server)
        wrong = ledger.difference(self.state, found, taken)
        if wrong and self.open is not None:
            after = deepcopy(self.state)
            ledger.apply(after, self.open, None)
            wrong = ledger.difference(after, found, taken) and f"{wrong}; if it was done: {after}"
        if wrong:
            raise Broken(f"client {self.number}, unfinished {self.open}: {wrong}")
        for place, mail in found.mail.items():
            for uid, held in mail.items():
                if taken.setdefault((*place, uid), held.token) != held.token:
                    raise Broken(f"{place}: UID {uid} is used again")
        self.state, self.open = found, None


class Fetcher(Client):
    """Takes mail out of the last inbox over POP3."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.gone: set[str] = set()
        self.leaving: set[str] = set()

    def work(self, server: Served) -> None:
        while True:
            client = server.pop3(served.PEOPLE[-1])
            with contextlib.ExitStack() as stack:
                stack.callback(client.close)
                count = len(client.list()[1])
                for number in range(1, min(count, 3) + 1):
                    raw = b"\r\n".join(client.retr(number)[1])
                    client.dele(number)
                    self.leaving.add(ledger.token_of(raw))
                client.quit()
                self.gone |= self.leaving
                self.leaving = set()
                self.answered()


def _ok(answer: tuple[str, list[Any]]) -> bytes:
    kind, said = answer
    if kind != "OK":
        raise Broken(f"{kind} {said}")
    return said[-1] or b""


def _set(said: bytes, pattern: bytes) -> list[int]:
    """The UIDs of a response code."""
    found = re.search(pattern, said)
    if found is None:
        raise Broken(f"no UIDs in {said!r}")
    uids: list[int] = []
    for part in found[1].split(b","):
        first, _, last = part.partition(b":")
        uids += range(int(first), int(last or first) + 1)
    return uids


def _messages(client: imaplib.IMAP4) -> list[tuple[int, Held]]:
    found = []
    for part in client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")[1]:
        if not isinstance(part, tuple):
            continue
        uid = re.search(rb"UID (\d+)", part[0])
        flags = re.search(rb"FLAGS \(([^)]*)\)", part[0])
        assert uid is not None
        assert flags is not None, part[0]
        token = ledger.token_of(part[1])
        if not part[1].endswith(ledger.content(token)):
            raise Broken(f"{token} has other bytes")
        bits = sum(_BITS.get(name, 0) for name in flags[1].decode().split())
        found.append((int(uid[1]), Held(token, int(bits))))
    return found


class Rounds:
    """Kills on one office."""

    def __init__(self, data: Path, seed: int) -> None:
        self._data = served.make_office(data)
        self._seed = seed
        self._taken: dict[Any, str] = {}
        self._states: dict[int, State] = {}
        self._inboxes: dict[str, set[str]] = {who: set() for who in served.PEOPLE}
        self.acknowledged = 0

    def round(self, number: int) -> None:
        """Serve, load, kill, serve again, verify. Raises Broken, naming the seed."""
        one = self._seed * 1000 + number
        counted = Counted()
        senders = [Sender(number, one, counted) for number in range(2)]
        organizers = [
            Organizer(number, one, counted, self._states.get(number, State())) for number in range(2, 5)
        ]
        fetcher = Fetcher(5, one, counted)
        server = Served(self._data)
        try:
            for client in (*senders, *organizers, fetcher):
                client.start(server)
            counted.reach(random.Random(one).choice((1, 10, 40, 120)))
        finally:
            server.kill()
        try:
            for client in (*senders, *organizers, fetcher):
                client.join()
            with Served(self._data) as again:
                for organizer in organizers:
                    organizer.verify(again, self._taken)
                    self._states[organizer.number] = organizer.state
                self._verify_mail(again, senders, fetcher)
            checked = served.command(self._data, "check")
            if checked.returncode:
                raise Broken(checked.stdout + checked.stderr)
        except Broken as error:
            raise Broken(f"round {number} of seed {self._seed}: {error}") from error
        self.acknowledged += counted.count

    def _verify_mail(self, server: Served, senders: list[Sender], fetcher: Fetcher) -> None:
        for who in served.PEOPLE:
            inbox = self._inboxes[who]
            inbox |= {token for sender in senders for token, to in sender.taken if who in to}
            maybe = {sender.open[0] for sender in senders if sender.open and who in sender.open[1]}
            if who == served.PEOPLE[-1]:
                inbox -= fetcher.gone
                maybe |= fetcher.leaving
            client = server.imap(who)
            _ok(client.select("INBOX", readonly=True))
            found = [held.token for _, held in _messages(client)]
            client.logout()
            twice = [token for token, count in Counter(found).items() if count > 1]
            lost, more = inbox - maybe - set(found), set(found) - inbox - maybe
            if twice or lost or more:
                raise Broken(f"{who}: twice {twice}, lost {lost}, from nowhere {more}")
            self._inboxes[who] = set(found)
        for sender in senders:
            if sender.open is not None:
                token, to = sender.open
                there = {who for who in to if token in self._inboxes[who]}
                if there and there != set(to) - ({served.PEOPLE[-1]} - there):
                    raise Broken(f"{token} came to {there}, not to all of {to}")
