"""Contexts: cookies, tickets, time, room."""

import re

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from appliance.protocols.mapihttp import contexts
from appliance.protocols.mapihttp.contexts import CONTEXT, SEQUENCE, Context, Contexts, Ticket
from appliance.protocols.mapihttp.headers import Fault, ResponseCode

PATH = "/mapi/emsmdb"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Held:
    """What contexts keep here: it counts how often it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def make(lifetime: float = 900.0) -> tuple[Contexts[Held], Clock]:
    clock = Clock()
    return Contexts(PATH, Held.close, clock, lifetime), clock


def given(context: Context[Held]) -> dict[str, str]:
    """The cookies that a client has."""
    pairs = [cookie.partition(";")[0].partition("=") for cookie in context.cookies]
    return {name: value for name, _, value in pairs}


def code_of(call: object, *arguments: object) -> ResponseCode:
    with pytest.raises(Fault) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value.code


def test_cookies_have_names_values_and_a_path() -> None:
    all, _ = make()
    one, other = all.open(1, Held()), all.open(1, Held())
    for cookie in one.cookies:
        assert re.fullmatch(r"Mapi(Context|Sequence)=[\w-]+; path=/mapi/emsmdb; HttpOnly", cookie)
    assert all.open(1, Held(), secure=True).cookies[0].endswith("; path=/mapi/emsmdb; HttpOnly; Secure")
    assert given(one)[CONTEXT] != given(other)[CONTEXT]
    assert all.find(given(one), 1) is one
    assert all.find(given(other), 1) is other


@pytest.mark.covers("MS-OXCMAPIHTTP_R1223", "MS-OXCMAPIHTTP_R1224", "MS-OXCMAPIHTTP_R1225")
def test_a_context_is_its_users() -> None:
    all, _ = make()
    context = all.open(1, Held())
    assert code_of(all.find, given(context), 2) is ResponseCode.CONTEXT_NOT_FOUND
    assert all.named(given(context), 2) is None
    assert all.find(given(context), 1) is context


def test_cookies_that_are_none() -> None:
    all, _ = make()
    context = all.open(1, Held())
    assert code_of(all.find, {}, 1) is ResponseCode.MISSING_COOKIE
    token = given(context)[CONTEXT]
    for wrong in ("", "x", "Invalid cookie", token[:-1], token + "A", token[:-1] + "!", "é" * len(token)):
        assert code_of(all.find, {CONTEXT: wrong}, 1) is ResponseCode.INVALID_CONTEXT_COOKIE
    assert code_of(all.find, {CONTEXT: "A" * len(token)}, 1) is ResponseCode.CONTEXT_NOT_FOUND


@pytest.mark.covers("MS-OXCMAPIHTTP_R1227", "MS-OXCMAPIHTTP_R151")
def test_a_ticket_is_good_once() -> None:
    all, _ = make()
    context = all.open(1, Held())
    first = given(context)
    ticket = all.begin(context, first)
    second = given(context)
    assert first[CONTEXT] == second[CONTEXT]
    assert first[SEQUENCE] != second[SEQUENCE]
    assert code_of(all.begin, context, first) is ResponseCode.INVALID_SEQUENCE  # the same once more
    assert code_of(all.begin, context, second) is ResponseCode.INVALID_SEQUENCE  # while the first runs
    ticket.give_back()
    assert code_of(all.begin, context, first) is ResponseCode.INVALID_SEQUENCE  # a replay
    for wrong in ("", "2", "2-", "9" * 5000, first[SEQUENCE][1:]):
        assert code_of(all.begin, context, {**second, SEQUENCE: wrong}) is ResponseCode.INVALID_SEQUENCE
    assert code_of(all.begin, context, {CONTEXT: first[CONTEXT]}) is ResponseCode.MISSING_COOKIE
    all.begin(context, second)
    ticket.give_back()
    assert context.busy, "the first request gives its own turn back, no other's"


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R1141", "MS-OXCMAPIHTTP_R1217", "MS-OXCMAPIHTTP_R1284", "MS-OXCMAPIHTTP_R1285"
)
def test_idle_contexts_go() -> None:
    all, clock = make(lifetime=100.0)
    held = Held()
    context = all.open(1, held)
    cookies = given(context)
    clock.now += 99
    ticket = all.begin(all.find(cookies, 1), cookies)
    clock.now += 5000  # a request runs: no time passes for the context
    all.expire()
    assert not held.closed
    ticket.give_back()
    clock.now += 99
    assert all.find(given(context), 1) is context
    clock.now += 1
    assert code_of(all.find, given(context), 1) is ResponseCode.CONTEXT_NOT_FOUND
    assert held.closed == 1
    assert len(all) == 0


@pytest.mark.covers("MS-OXCMAPIHTTP_R1260", "MS-OXCMAPIHTTP_R1248")
def test_polls_and_pings_keep_alive() -> None:
    all, clock = make(lifetime=100.0)
    context = all.open(1, Held())
    all.begin_wait(context)
    clock.now += 500
    all.expire()
    assert all.find(given(context), 1) is context
    all.end_wait(context)
    clock.now += 60
    all.touch(context)
    clock.now += 60
    assert all.find(given(context), 1) is context


def test_the_sweep_comes_when_it_is_due() -> None:
    all, clock = make(lifetime=100.0)
    assert all.expire() is None
    one = Held()
    all.open(1, one)
    clock.now += 40
    other = Held()
    busy = all.open(1, other)
    assert all.expire() == 60.0
    clock.now += 60
    assert all.expire() == 40.0
    assert one.closed == 1
    all.begin(busy, given(busy))
    assert all.expire() == 100.0
    all.close()
    assert other.closed == 0, "not under a running request"


def test_what_was_destroyed_while_a_request_runs_is_closed_after_it() -> None:
    all, _ = make()
    held = Held()
    context = all.open(1, held)
    ticket = all.begin(context, given(context))
    all.begin_wait(context)
    all.destroy(context)
    all.destroy(context)
    assert all.named(given(context), 1) is None
    assert held.closed == 0
    ticket.give_back()
    ticket.give_back()
    all.end_wait(context)
    assert held.closed == 1


@pytest.mark.covers("MS-OXCMAPIHTTP_R1195")
def test_the_longest_idle_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contexts, "MAX_PER_USER", 3)
    monkeypatch.setattr(contexts, "MAX_CONTEXTS", 5)
    all, clock = make()
    mine = []
    for _ in range(3):
        clock.now += 1
        mine.append(all.open(1, Held()))
    others = [all.open(user, Held()) for user in (2, 3)]
    all.begin(mine[0], given(mine[0]))
    clock.now += 1
    mine.append(all.open(1, Held()))
    assert [context.gone for context in mine] == [False, True, False, False]
    all.touch(mine[2])
    all.touch(mine[3])
    clock.now += 1
    all.open(4, Held())
    assert others[0].gone
    assert len(all) == 5


class Requests(RuleBasedStateMachine):
    """Clients that send what they like, in any order: at most one request on a context runs, tickets are good
    once, and what contexts hold is closed exactly once, never under a running request."""

    def __init__(self) -> None:
        super().__init__()
        self.all, self.clock = make(lifetime=100.0)
        self.known: list[tuple[Context[Held], dict[str, str]]] = []
        self.running: dict[int, tuple[Context[Held], Ticket]] = {}
        self.used: set[tuple[int, str]] = set()

    @rule(user=st.integers(1, 3))
    def connect(self, user: int) -> None:
        context = self.all.open(user, Held())
        self.known.append((context, given(context)))

    @precondition(lambda self: self.known)
    @rule(data=st.data(), user=st.integers(1, 3))
    def ask(self, data: st.DataObject, user: int) -> None:
        number = data.draw(st.integers(0, len(self.known) - 1))
        context, cookies = self.known[number]
        try:
            found = self.all.find(cookies, user)
            ticket = self.all.begin(found, cookies)
        except Fault:
            return
        assert found is context
        assert user == context.user
        assert not context.gone
        assert id(context) not in self.running
        assert (id(context), cookies[SEQUENCE]) not in self.used
        self.used.add((id(context), cookies[SEQUENCE]))
        self.running[id(context)] = (context, ticket)
        self.known.append((context, given(context)))

    @precondition(lambda self: self.running)
    @rule(data=st.data(), twice=st.booleans())
    def answer(self, data: st.DataObject, twice: bool) -> None:
        context, ticket = self.running.pop(data.draw(st.sampled_from(sorted(self.running))))
        ticket.give_back()
        if twice:
            ticket.give_back()
        assert context.held.closed == context.gone

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def disconnect(self, data: st.DataObject) -> None:
        context, _ = data.draw(st.sampled_from(self.known))
        self.all.destroy(context)

    @rule(seconds=st.integers(0, 150))
    def wait(self, seconds: int) -> None:
        self.clock.now += seconds
        self.all.expire()

    @invariant()
    def nothing_is_closed_under_a_request(self) -> None:
        for context, _ in self.known:
            busy = id(context) in self.running
            assert context.busy == busy
            assert context.held.closed == (context.gone and not busy)


TestRequests = Requests.TestCase
TestRequests.settings = settings(deadline=None, max_examples=60, stateful_step_count=40)
