"""MS-OXCMAPIHTTP 3.2: Session Contexts, their cookies, order and end; notifications that are waited for."""

import struct
from collections.abc import Callable

import pytest

from tests.conformance.client import EMSMDB, NSPI, Mapi, Reply, connect_body, execute_body, rop_buffer
from tests.conformance.office import Person
from tests.conformance.store_rops import (
    INBOX,
    NONE,
    SUCCESS,
    Fields,
    Store,
    create_message,
    private,
    save_message,
)

EXECUTE = execute_body(rop_buffer(b"", []))
BIND = struct.pack("<IBI", 0, 0, 0)
WAIT = struct.pack("<II", 0, 0)
LEAVE = struct.pack("<I", 0)

INVALID_COOKIE, NOT_FOUND, NO_PRIVILEGE, MISSING_COOKIE, INVALID_SEQUENCE = 6, 10, 11, 13, 15

BODIES = {"Execute": EXECUTE, "Disconnect": LEAVE, "NotificationWait": WAIT}


@pytest.mark.covers("MS-OXCMAPIHTTP_R149")
@pytest.mark.parametrize("kind", BODIES)
def test_a_context_is_needed(anna: Person, kind: str) -> None:
    with anna.session() as client:
        assert client.exchange(kind, BODIES[kind]).code == MISSING_COOKIE


@pytest.mark.covers("MS-OXCMAPIHTTP_R142", "MS-OXCMAPIHTTP_R146")
@pytest.mark.parametrize("value", ["nonsense", "", "x" * 5000, "AAAA=", '"', "%00"])
def test_an_invented_context_is_not_found(mapi: Mapi, value: str) -> None:
    forged = {"Cookie": "; ".join(f"{name}={value}" for name in mapi.cookies)}
    reply = mapi.exchange("Execute", EXECUTE, dict(forged))
    assert reply.status == 200
    assert reply.code in (INVALID_COOKIE, NOT_FOUND, MISSING_COOKIE)
    assert mapi.post("Execute", EXECUTE).code == 0, "the real one is as it was"


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R1223", "MS-OXCMAPIHTTP_R1224", "MS-OXCMAPIHTTP_R1225", "MS-OXCMAPIHTTP_R146"
)
@pytest.mark.parametrize("kind", ["Execute", "Disconnect", "PING"])
def test_the_context_of_another_user_is_not_found(mapi: Mapi, ben: Person, kind: str) -> None:
    with ben.session() as thief:
        thief.cookies = dict(mapi.cookies)
        assert thief.exchange(kind, BODIES.get(kind, b"")).code == NOT_FOUND
    assert mapi.post("Execute", EXECUTE).code == 0


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R2233",
    "MS-OXCMAPIHTTP_R2236",
    "MS-OXCMAPIHTTP_R1253",
    "MS-OXCMAPIHTTP_R1283",
    "MS-OXCROPS_R4574",
)
@pytest.mark.parametrize("kind", ["Execute", "Disconnect", "NotificationWait", "PING"])
def test_a_context_that_ended_is_not_found(mapi: Mapi, kind: str) -> None:
    assert mapi.disconnect().code == 0
    reply = mapi.exchange(kind, BODIES.get(kind, b""))
    assert (reply.status, reply.code) == (200, NOT_FOUND)
    assert reply.headers["content-type"].startswith("text/html")


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R1222", "MS-OXCMAPIHTTP_R68", "MS-OXCMAPIHTTP_R1147", "MS-OXCMAPIHTTP_R1219"
)
def test_each_connect_makes_a_context_of_its_own(anna: Person) -> None:
    with anna.mapi() as one, anna.mapi() as other:
        assert one.cookies.keys() == other.cookies.keys()
        assert all(one.cookies[name] != other.cookies[name] for name in one.cookies)
        mine = private(one, anna)
        responses, handles = other.execute(b"", [])
        assert (responses, handles) == (b"", [])
        stranger, _ = other.execute(
            struct.pack("<BBBBQB", 2, 0, 0, 1, mine.folders[INBOX], 0), [mine.handle, NONE]
        )
        assert struct.unpack("<BBI", stranger)[2] != SUCCESS, "handles belong to a context"


@pytest.mark.covers("MS-OXCMAPIHTTP_R151", "MS-OXCMAPIHTTP_R1228", "MS-OXCMAPIHTTP_R1227")
def test_the_sequence_cookie_of_an_earlier_request_is_refused(mapi: Mapi) -> None:
    before = dict(mapi.cookies)
    assert mapi.post("Execute", EXECUTE).code == 0
    changed = [name for name in before if mapi.cookies[name] != before[name]]
    assert len(changed) == 1, "one cookie validates the sequence, one names the context"
    late = {"Cookie": "; ".join(f"{name}={value}" for name, value in before.items())}
    assert mapi.exchange("Execute", EXECUTE, dict(late)).code == INVALID_SEQUENCE
    assert mapi.post("Execute", EXECUTE).code == 0, "who is in sequence is served on"


@pytest.mark.covers("MS-OXCMAPIHTTP_R149")
def test_the_sequence_cookie_is_required(mapi: Mapi) -> None:
    before = dict(mapi.cookies)
    assert mapi.post("PING").code == 0
    assert mapi.post("Execute", EXECUTE).code == 0
    kept = {name: value for name, value in mapi.cookies.items() if before[name] == value}
    reply = mapi.exchange("Execute", EXECUTE, {"Cookie": "; ".join(f"{n}={v}" for n, v in kept.items())})
    assert reply.code in (MISSING_COOKIE, INVALID_SEQUENCE)
    assert mapi.post("Execute", EXECUTE).code == 0


def test_foreign_cookies_and_their_order_do_not_matter(mapi: Mapi) -> None:
    cookies = [f"{name}={value}" for name, value in mapi.cookies.items()]
    jar = "; ".join(["X-BackEndCookie=abc", *reversed(cookies), "last=1"])
    assert mapi.post("Execute", EXECUTE, {"Cookie": jar}).code == 0


def test_names_of_cookies_may_be_parted_without_blanks(mapi: Mapi) -> None:
    jar = ";".join(f"{name}={value}" for name, value in mapi.cookies.items())
    assert mapi.post("Execute", EXECUTE, {"Cookie": jar}).code == 0


def test_another_connection_continues_a_context(mapi: Mapi, anna: Person) -> None:
    """A connection that broke means nothing: 3.1.7.1."""
    store = private(mapi, anna)
    with mapi.twin() as again:
        assert (
            Store.send(
                _as(store, again),
                struct.pack("<BBBBQB", 2, 0, 0, 1, store.folders[INBOX], 0),
                store.handle,
                NONE,
            ).value
            == 0
        )


def _as(store: Store, mapi: Mapi) -> Store:
    made = object.__new__(Store)
    made.__dict__.update(store.__dict__, mapi=mapi)
    return made


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R1277",
    "MS-OXCMAPIHTTP_R1278",
    "MS-OXCMAPIHTTP_R1280",
    "MS-OXCMAPIHTTP_R1195",
    "MS-OXCMAPIHTTP_R1283",
)
@pytest.mark.parametrize("path", [EMSMDB, NSPI])
def test_a_connect_with_the_old_cookies_ends_the_old_context(anna: Person, path: str) -> None:
    kind, body, next_kind, next_body = _first_steps(anna, path)
    with anna.session(path) as client:
        assert client.post(kind, body).code == 0
        old = dict(client.cookies)
        assert client.post(kind, body).code == 0
        assert all(client.cookies[name] != old[name] for name in old)
        assert client.post(next_kind, next_body).code == 0
        late = {"Cookie": "; ".join(f"{name}={value}" for name, value in old.items())}
        assert client.exchange(next_kind, next_body, dict(late)).code == NOT_FOUND


def _first_steps(person: Person, path: str) -> tuple[str, bytes, str, bytes]:
    if path == EMSMDB:
        return "Connect", connect_body(person.dn), "Execute", EXECUTE
    return "Bind", BIND, "PING", b""


@pytest.mark.covers("MS-OXCMAPIHTTP_R1279", "MS-OXCMAPIHTTP_R1329")
@pytest.mark.parametrize("how", ["without it", "with an old one", "with nonsense"])
def test_a_reconnect_asks_for_no_sequence(mapi: Mapi, anna: Person, how: str) -> None:
    before = dict(mapi.cookies)
    assert mapi.post("Execute", EXECUTE).code == 0
    sequence = next(name for name in before if before[name] != mapi.cookies[name])
    jar = {
        "without it": {name: value for name, value in mapi.cookies.items() if name != sequence},
        "with an old one": before,
        "with nonsense": mapi.cookies | {sequence: "nonsense"},
    }[how]
    reply = mapi.post(
        "Connect", connect_body(anna.dn), {"Cookie": "; ".join(f"{n}={v}" for n, v in jar.items())}
    )
    assert reply.code == 0
    assert mapi.post("Execute", EXECUTE).code == 0


@pytest.mark.covers("MS-OXCMAPIHTTP_R1278")
def test_a_reconnect_to_a_context_that_is_gone_makes_a_new_one(mapi: Mapi, anna: Person) -> None:
    old = dict(mapi.cookies)
    assert mapi.disconnect().code == 0
    reply = mapi.exchange(
        "Connect", connect_body(anna.dn), {"Cookie": "; ".join(f"{n}={v}" for n, v in old.items())}
    )
    assert reply.code == 0
    assert all(reply.cookies[name] != old[name] for name in old)


def test_a_reconnect_does_not_end_the_context_of_another_user(mapi: Mapi, ben: Person) -> None:
    with ben.session() as client:
        client.cookies = dict(mapi.cookies)
        assert client.exchange("Connect", connect_body(ben.dn)).code in (0, NOT_FOUND)
    assert mapi.post("Execute", EXECUTE).code == 0


@pytest.mark.covers("MS-OXCMAPIHTTP_R131", "MS-OXCMAPIHTTP_R1248")
def test_a_ping_keeps_the_context_as_it_is(mapi: Mapi, anna: Person) -> None:
    store = private(mapi, anna)
    for _ in range(3):
        assert mapi.post("PING").code == 0
    assert store.open(store.folders[INBOX]) != NONE


# --- notifications ------------------------------------------------------------------------------------------


def register(store: Store, kinds: int = 0x0004, fid: int | None = None) -> int:
    """RopRegisterNotification for a folder, or the whole store: MS-OXCROPS 2.2.14.1.1."""
    request = struct.pack("<BBBBHB", 0x29, 0, 0, 1, kinds, fid is None)
    if fid is not None:
        request += struct.pack("<QQ", fid, 0)
    answer = store.call(request, NONE)
    assert answer.value == SUCCESS
    answer.end()
    return answer.handles[1]


def waiting(mapi: Mapi) -> Mapi:
    """A connection on which a NotificationWait of the same context has been sent."""
    other = mapi.twin()
    other.send("NotificationWait", WAIT)
    return other


def pending(reply: Reply) -> int:
    """EventPending of a NotificationWait: 2.2.4.4.2."""
    assert (reply.status, reply.code) == (200, 0)
    fields = Fields(reply.body)
    status, error, event = fields.numbers("III")
    assert (status, error) == (0, 0)
    fields.take(fields.number("I"))
    fields.end()
    return event


@pytest.fixture
def watched(mapi: Mapi, anna: Person) -> tuple[Store, Callable[[], None]]:
    """A mailbox whose Inbox is watched, and what makes a message there in another session."""
    store = private(mapi, anna)
    register(store, 0x0004, store.folders[INBOX])

    def arrive() -> None:
        with anna.mapi() as other:
            elsewhere = private(other, anna)
            folder = elsewhere.open(elsewhere.folders[INBOX])
            elsewhere.message(folder, elsewhere.folders[INBOX])

    return store, arrive


Watched = tuple[Store, Callable[[], None]]


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R283",
    "MS-OXCMAPIHTTP_R1369",
    "MS-OXCMAPIHTTP_R297",
    "MS-OXCMAPIHTTP_R285",
    "MS-OXCMAPIHTTP_R1371",
    "MS-OXCMAPIHTTP_R1373",
    "MS-OXCMAPIHTTP_R1374",
    "MS-OXCMAPIHTTP_R1256",
    "MS-OXCMAPIHTTP_R1258",
    "MS-OXCMAPIHTTP_R1261",
)
def test_a_wait_ends_with_an_event(watched: Watched, mapi: Mapi) -> None:
    _, arrive = watched
    with waiting(mapi) as other:
        arrive()
        reply = other.receive()
        assert pending(reply) == 1
        assert reply.cookies.keys() == mapi.cookies.keys()
        assert reply.tags[0] == "PROCESSING"
        assert reply.tags[-1] == "DONE"


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R1230", "MS-OXCMAPIHTTP_R1237", "MS-OXCMAPIHTTP_R1238", "MS-OXCMAPIHTTP_R1300"
)
def test_a_wait_is_answered_in_pieces_and_at_once(watched: Watched, mapi: Mapi) -> None:
    _, arrive = watched
    with waiting(mapi) as other:
        response = other._connection.getresponse()
        assert response.getheader("Transfer-Encoding") == "chunked"
        assert response.getheader("Content-Length") is None
        assert response.getheader("X-ResponseCode") == "0"
        assert response.readline() == b"PROCESSING\r\n", "before anything has happened"
        arrive()
        assert b"DONE\r\n" in response.read()


@pytest.mark.covers("MS-OXCMAPIHTTP_R318", "MS-OXCROPS_R4506")
def test_the_event_comes_with_the_next_execute(watched: Watched, mapi: Mapi) -> None:
    store, arrive = watched
    with waiting(mapi) as other:
        arrive()
        assert pending(other.receive()) == 1
    responses, _ = mapi.execute(b"", [])
    assert responses[0] == 0x2A, "RopNotify"
    handle, logon_id, flags = struct.unpack_from("<IBH", responses, 1)
    assert handle not in (NONE, store.handle)
    assert logon_id == 0
    assert flags & 0x0FFF == 0x0004
    assert mapi.execute(b"", []) == (b"", [])


@pytest.mark.covers("MS-OXCMAPIHTTP_R1371")
def test_a_wait_ends_at_once_when_something_is_pending(watched: Watched, mapi: Mapi) -> None:
    _, arrive = watched
    arrive()
    with waiting(mapi) as other:
        assert pending(other.receive()) == 1
    with waiting(mapi) as other:
        assert pending(other.receive()) == 1, "it is pending until an Execute fetches it"


@pytest.mark.covers("MS-OXCMAPIHTTP_R1368")
def test_the_flags_of_a_wait_are_ignored(watched: Watched, mapi: Mapi) -> None:
    _, arrive = watched
    arrive()
    with mapi.twin() as other:
        assert pending(other.exchange("NotificationWait", struct.pack("<II", 0xFFFFFFFF, 0))) == 1


def test_requests_are_served_while_a_wait_is_pending(watched: Watched, mapi: Mapi) -> None:
    """3.1.5.5: unlike any other request, it may be sent while another is pending."""
    store, arrive = watched
    with waiting(mapi) as other:
        for _ in range(3):
            assert mapi.post("Execute", EXECUTE).code == 0
            assert mapi.post("PING").code == 0
        assert store.open(store.folders[INBOX]) != NONE
        arrive()
        assert pending(other.receive()) == 1
    assert mapi.post("Execute", EXECUTE).code == 0


def test_a_disconnect_ends_a_wait(watched: Watched, mapi: Mapi) -> None:
    with waiting(mapi) as other:
        assert other._connection.sock is not None
        response = other._connection.getresponse()
        assert response.readline() == b"PROCESSING\r\n"
        assert mapi.disconnect().code == 0
        assert b"DONE\r\n" in response.read(), "the answer is ended, not left hanging"


def test_a_reconnect_ends_a_wait(watched: Watched, mapi: Mapi, anna: Person) -> None:
    with waiting(mapi) as other:
        response = other._connection.getresponse()
        assert response.readline() == b"PROCESSING\r\n"
        assert mapi.connect(anna.dn).code == 0
        assert b"DONE\r\n" in response.read()


def test_a_client_that_goes_away_while_waiting_leaves_its_context_whole(watched: Watched, mapi: Mapi) -> None:
    _, arrive = watched
    other = waiting(mapi)
    response = other._connection.getresponse()
    assert response.readline() == b"PROCESSING\r\n"
    response.close()
    other.close()
    arrive()
    responses, _ = mapi.execute(b"", [])
    assert responses[:1] == b"\x2a"


def test_own_changes_do_notify(watched: Watched, mapi: Mapi) -> None:
    """MS-OXCNOTIF: what a session does itself reaches its own subscriptions at objects, too."""
    store, _ = watched
    folder = store.open(store.folders[INBOX])
    made = store.send(create_message(store.folders[INBOX]), folder, NONE)
    responses, _ = mapi.execute(save_message(0, 1), [made.handles[1], folder])
    assert responses[:2] == bytes((0x0C, 1))
    assert len(responses) > 15, "the notification stands behind the response, in the same buffer"
    assert responses[15] == 0x2A
