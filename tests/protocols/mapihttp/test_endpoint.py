"""Everything around a request: verbs, headers, codes, meta-tags, chunks, contexts; over the wire, strict."""

import logging
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from appliance.protocols.mapihttp.bodies.common import Failure
from appliance.protocols.mapihttp.headers import SERVER_APPLICATION
from tests.mapiclient import Answer, Refused, Wire
from tests.protocols.mapihttp.conftest import BEN
from tests.protocols.mapihttp.site import (
    ANSWER,
    BREAK,
    FAIL,
    FAULT,
    KEEP_ALIVE,
    PATH,
    WAIT,
    Ask,
    Site,
    Told,
)
from tests.protocols.webserver import ANNA, PASSWORD, Running

Make = Callable[..., Wire]


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def running(serve: Callable[..., Running], site: Site) -> Running:
    return serve(sites=[site.routes])


@pytest.fixture
def wire(running: Running) -> Iterator[Make]:
    """`wire(user)`: a client of the test site; `like` gives it another's cookies."""
    made: list[Wire] = []

    def make(user: str = ANNA, *, like: Wire | None = None, path: str = PATH) -> Wire:
        made.append(Wire(running.port, user, PASSWORD, path))
        if like is not None:
            made[-1].cookies = dict(like.cookies)
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def connected(wire: Make) -> Wire:
    one = wire()
    one.ask("Connect", Ask(ANSWER), Told)
    return one


def refused(wire: Wire, request_type: str, body: bytes, code: int, **changed: str | None) -> Answer:
    """A request that must be refused with a code, in the form that refusals have."""
    answer = wire.send(request_type, body, **changed)
    assert answer.status == 200
    assert answer.headers["x-responsecode"] == str(code)
    assert answer.headers["content-type"] == "text/html"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["x-serverapplication"] == SERVER_APPLICATION
    assert answer.headers["x-expirationinfo"] == "900000"
    assert b"<html>" in answer.body
    return answer


# -- the form of responses -----------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R40",
    "MS-OXCMAPIHTTP_R41",
    "MS-OXCMAPIHTTP_R42",
    "MS-OXCMAPIHTTP_R43",
    "MS-OXCMAPIHTTP_R44",
    "MS-OXCMAPIHTTP_R1300",
    "MS-OXCMAPIHTTP_R48",
    "MS-OXCMAPIHTTP_R53",
    "MS-OXCMAPIHTTP_R62",
    "MS-OXCMAPIHTTP_R66",
    "MS-OXCMAPIHTTP_R2037",
    "MS-OXCMAPIHTTP_R68",
    "MS-OXCMAPIHTTP_R76",
    "MS-OXCMAPIHTTP_R132",
    "MS-OXCMAPIHTTP_R133",
    "MS-OXCMAPIHTTP_R136",
    "MS-OXCMAPIHTTP_R55",
    "MS-OXCMAPIHTTP_R1301",
    "MS-OXCMAPIHTTP_R157",
    "MS-OXCMAPIHTTP_R158",
    "MS-OXCMAPIHTTP_R158002",
    "MS-OXCMAPIHTTP_R164",
    "MS-OXCMAPIHTTP_R165",
    "MS-OXCMAPIHTTP_R167",
    "MS-OXCMAPIHTTP_R168",
    "MS-OXCMAPIHTTP_R169",
    "MS-OXCMAPIHTTP_R170",
    "MS-OXCMAPIHTTP_R171",
    "MS-OXCMAPIHTTP_R1431",
    "MS-OXCMAPIHTTP_R1461",
    "MS-OXCMAPIHTTP_R1462",
    "MS-OXCMAPIHTTP_R1463",
    "MS-OXCMAPIHTTP_R1130",
    "MS-OXCMAPIHTTP_R1131",
    "MS-OXCMAPIHTTP_R1134",
    "MS-OXCMAPIHTTP_R1136",
    "MS-OXCMAPIHTTP_R1173",
    "MS-OXCMAPIHTTP_R1174",
    "MS-OXCMAPIHTTP_R1182",
    "MS-OXCMAPIHTTP_R1186",
    "MS-OXCMAPIHTTP_R1189",
    "MS-OXCMAPIHTTP_R1229",
    "MS-OXCMAPIHTTP_R1230",
    "MS-OXCMAPIHTTP_R1232",
    "MS-OXCMAPIHTTP_R1234",
    "MS-OXCMAPIHTTP_R1236",
    "MS-OXCMAPIHTTP_R2226",
    "MS-OXCMAPIHTTP_R1242",
    "MS-OXCMAPIHTTP_R1244",
    "MS-OXCMAPIHTTP_R2228",
    "MS-OXCMAPIHTTP_R2231",
    "MS-OXCMAPIHTTP_R456",
    "MS-OXCMAPIHTTP_R1221",
    "MS-OXCMAPIHTTP_R1222",
    "MS-OXCMAPIHTTP_R54",
    "MS-OXCMAPIHTTP_R58",
)
def test_a_chunked_response_byte_by_byte(running: Running, connected: Wire) -> None:
    body = Ask(ANSWER).pack()
    cookies = "; ".join(f"{name}={value}" for name, value in connected.cookies.items())
    request = (
        f"POST {PATH}/?MailboxId=x@example.test HTTP/1.1\r\nHost: mail.example.test\r\nConnection: close\r\n"
        f"Authorization: {connected.credentials}\r\nContent-Type: application/mapi-http\r\n"
        f"Content-Length: {len(body)}\r\nX-RequestType: Execute\r\nX-RequestId: {{E2EA-x}}:7\r\n"
        f"X-ClientInfo: {{2EF33C39}}:123\r\nX-ClientApplication: Outlook/15.00.1234.1000\r\n"
        f"Cookie: {cookies}\r\n\r\n"
    )
    head, _, rest = running.raw(request.encode() + body).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert first == "HTTP/1.1 200 OK"
    headers = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in lines}
    assert headers["content-type"] == "application/mapi-http"
    assert headers["transfer-encoding"] == "chunked"
    assert "content-length" not in headers
    assert headers["x-requesttype"] == "Execute"
    assert headers["x-requestid"] == "{E2EA-x}:7"
    assert headers["x-clientinfo"] == "{2EF33C39}:123"
    assert headers["x-responsecode"] == "0"
    assert headers["x-pendingperiod"] == "30000"
    assert headers["x-expirationinfo"] == "900000"
    assert re.fullmatch(r"Exchange/15\.\d\d\.\d{4}\.\d{3}", headers["x-serverapplication"])
    assert len([line for line in lines if line.lower().startswith("set-cookie: ")]) == 2
    tail = re.fullmatch(
        rb"c\r\nPROCESSING\r\n\r\n([0-9a-f]+)\r\n"
        rb"(DONE\r\nX-ResponseCode: 0\r\nX-ElapsedTime: \d+\r\n"
        rb"X-StartTime: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n\r\n(.{12}))\r\n0\r\n\r\n",
        rest,
        re.DOTALL,
    )
    assert tail is not None, rest
    assert int(tail[1], 16) == len(tail[2])
    assert tail[3] == Told(0, 0, ANSWER).pack()


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R1345",
    "MS-OXCMAPIHTTP_R460",
    "MS-OXCMAPIHTTP_R61",
    "MS-OXCMAPIHTTP_R1235",
    "MS-OXCMAPIHTTP_R1281",
    "MS-OXCMAPIHTTP_R1254",
    "MS-OXCMAPIHTTP_R1255",
)
def test_whole_responses(wire: Make) -> None:
    one = wire()
    for request_type in ("Connect", "PING", "Disconnect"):
        answer = one.send(request_type, b"" if request_type == "PING" else Ask(ANSWER).pack())
        assert answer.code == 0
        assert "transfer-encoding" not in answer.headers
        tags = sum(len(tag) + 2 for tag in answer.tags)
        more = sum(len(name) + len(value) + 4 for name, value in answer.more.items()) + 2
        assert int(answer.headers["content-length"]) == tags + more + len(answer.body)
        assert answer.tags == ["PROCESSING", "DONE"]
        assert len(answer.set_cookies) == 2


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R130",
    "MS-OXCMAPIHTTP_R2040",
    "MS-OXCMAPIHTTP_R155",
    "MS-OXCMAPIHTTP_R156",
    "MS-OXCMAPIHTTP_R1146",
    "MS-OXCMAPIHTTP_R1330",
    "MS-OXCMAPIHTTP_R1432",
    "MS-OXCMAPIHTTP_R131",
    "MS-OXCMAPIHTTP_R1305",
    "MS-OXCMAPIHTTP_R1464",
    "MS-OXCMAPIHTTP_R79",
    "MS-OXCMAPIHTTP_R176",
    "MS-OXCMAPIHTTP_R321",
)
def test_what_the_client_said_is_returned(wire: Make) -> None:
    one, other = wire(), wire()
    seen = []
    for client in (one, other):
        for request_type in ("Connect", "Execute", "Execute", "PING", "Disconnect"):
            answer = client.send(request_type, b"" if request_type == "PING" else Ask(ANSWER).pack())
            assert answer.headers["x-requesttype"] == request_type
            assert answer.headers["x-clientinfo"] == client.client_info
            seen.append(answer.headers["x-requestid"].split(":"))
    assert [int(number) for _, number in seen] == [1, 2, 3, 4, 5] * 2
    assert len({guid for guid, _ in seen[:5]}) == 1
    assert seen[0][0] != seen[5][0]


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R2047",
    "MS-OXCMAPIHTTP_R2048",
    "MS-OXCMAPIHTTP_R2239",
    "MS-OXCMAPIHTTP_R2050",
    "MS-OXCMAPIHTTP_R2052",
    "MS-OXCMAPIHTTP_R2054",
)
def test_device_information_is_dropped(connected: Wire) -> None:
    answer = connected.send("Execute", Ask(ANSWER).pack(), X_DeviceInfo="a box in between")
    assert answer.code == 0
    assert "x-deviceinfo" not in answer.headers
    assert "x-deviceinfo" not in answer.more


# -- codes ---------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R138",
    "MS-OXCMAPIHTTP_R47",
    "MS-OXCMAPIHTTP_R49",
    "MS-OXCMAPIHTTP_R56",
    "MS-OXCMAPIHTTP_R2038",
    "MS-OXCMAPIHTTP_R1459",
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "RPC_IN_DATA", "HEAD"])
def test_other_verbs(wire: Make, method: str) -> None:
    one = wire()
    answer = one.exchange(method, b"", one.headers("Connect"))
    assert (answer.status, answer.headers["x-responsecode"]) == (200, "2")
    assert answer.headers["content-type"] == "text/html"
    assert (answer.body == b"") == (method == "HEAD")
    assert one.ask("Connect", Ask(ANSWER), Told).what == ANSWER


@pytest.mark.covers("MS-OXCMAPIHTTP_R139")
@pytest.mark.parametrize("below", ["/x", "/../test/x", "/%00", "/execute?MailboxId=1"])
def test_other_paths(wire: Make, below: str) -> None:
    refused(wire(path=PATH + below), "Connect", Ask(ANSWER).pack(), 3)


@pytest.mark.parametrize("path", ["", "/", "/?MailboxId=1@example.test", "?x=y"])
def test_the_path_with_and_without_slash_and_query(wire: Make, path: str) -> None:
    assert wire(path=PATH.upper() + path).ask("Connect", Ask(ANSWER), Told).error_code == 0


@pytest.mark.covers("MS-OXCMAPIHTTP_R143")
@pytest.mark.parametrize("name", ["X_RequestType", "X_RequestId", "Content_Type"])
def test_missing_headers(connected: Wire, name: str) -> None:
    for value in (None, ""):
        refused(connected, "Execute", Ask(ANSWER).pack(), 7, **{name: value})
    assert connected.ask("Execute", Ask(ANSWER), Told).what == ANSWER


@pytest.mark.covers("MS-OXCMAPIHTTP_R140")
def test_invalid_headers(connected: Wire) -> None:
    for value in ("text/plain", "application/mapi-http2", "application/mapi"):
        refused(connected, "Execute", Ask(ANSWER).pack(), 4, Content_Type=value)
    for value in ("Application/MAPI-HTTP", "application/mapi-http; charset=utf-8"):
        assert connected.ask("Execute", Ask(ANSWER), Told, Content_Type=value).what == ANSWER


@pytest.mark.covers("MS-OXCMAPIHTTP_R141")
@pytest.mark.parametrize("request_type", ["Bind", "QueryRows", "invalidValue", "connect", "Connect\xe9"])
def test_unknown_request_types(wire: Make, request_type: str) -> None:
    answer = refused(wire(), "Connect", Ask(ANSWER).pack(), 5, X_RequestType=request_type)
    assert answer.headers["x-requesttype"] == request_type


@pytest.mark.covers(
    "MS-OXCSTOR_R7841",
)
@pytest.mark.covers("MS-OXCMAPIHTTP_R149", "MS-OXCMAPIHTTP_R142", "MS-OXCMAPIHTTP_R146")
def test_cookies_that_lead_nowhere(wire: Make, connected: Wire) -> None:
    stranger, body = wire(), Ask(ANSWER).pack()
    for request_type in ("Execute", "NotificationWait", "Disconnect"):
        stranger.cookies = {}
        refused(stranger, request_type, body, 13)
        stranger.cookies = {"MapiContext": "Invalid cookie", "MapiSequence": "Invalid cookie"}
        refused(stranger, request_type, body, 6)
        stranger.cookies = {**connected.cookies, "MapiContext": "A" * 32}
        refused(stranger, request_type, body, 10)
    stranger.cookies = {"MapiContext": connected.cookies["MapiContext"]}
    refused(stranger, "Execute", body, 13)
    stranger.cookies = {"MapiContext": "Invalid cookie"}
    refused(stranger, "PING", b"", 6)
    assert connected.ask("Execute", Ask(ANSWER), Told).what == ANSWER


@pytest.mark.covers("MS-OXCMAPIHTTP_R148")
def test_bodies_that_are_none(connected: Wire) -> None:
    for body in (b"", b"\0\0\0", Ask(ANSWER).pack() + b"\0"):
        answer = refused(connected, "Execute", body, 12)
        assert len(answer.set_cookies) == 2
    refused(connected, "PING", b"x", 12)
    assert connected.ask("Execute", Ask(ANSWER), Told).what == ANSWER


@pytest.mark.covers("MS-OXCMAPIHTTP_R145")
def test_bodies_that_are_too_long(connected: Wire) -> None:
    refused(connected, "Execute", bytes(4097), 9)
    assert connected.connection is None, "what is left of the request is not worth reading"
    chunks = (bytes(1024) for _ in range(5))
    answer = connected.exchange("POST", chunks, connected.headers("Execute"))  # type: ignore[arg-type]
    assert answer.code == 9
    assert connected.ask("Execute", Ask(ANSWER), Told).what == ANSWER


def test_requests_in_chunks(connected: Wire) -> None:
    body = iter([Ask(ANSWER).pack()[:1], Ask(ANSWER).pack()[1:]])
    answer = connected.exchange("POST", body, connected.headers("Execute"))  # type: ignore[arg-type]
    assert Told.parse(answer.body).what == ANSWER


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R35",
    "MS-OXCMAPIHTTP_R36",
    "MS-OXCMAPIHTTP_R50",
    "MS-OXCMAPIHTTP_R1331",
)
def test_strangers_log_on_first(wire: Make, site: Site) -> None:
    one = wire()
    for credentials in (None, "Basic eDp5", "Bearer x"):
        answer = one.send("Connect", Ask(ANSWER).pack(), Authorization=credentials)
        assert answer.status == 401
        assert "x-responsecode" not in answer.headers
        assert not answer.set_cookies
    assert len(site.endpoint.contexts) == 0


@pytest.mark.covers("MS-OXCMAPIHTTP_R1224", "MS-OXCMAPIHTTP_R1225")
def test_another_user_finds_no_context(wire: Make, connected: Wire) -> None:
    ben = wire(BEN, like=connected)
    answer = refused(ben, "Execute", Ask(ANSWER).pack(), 10)
    assert not answer.set_cookies
    refused(ben, "PING", b"", 10)
    refused(ben, "Disconnect", Ask(ANSWER).pack(), 10)
    assert ben.ask("Connect", Ask(ANSWER), Told).what == ANSWER, "and destroys nobody's"
    assert connected.ask("Execute", Ask(ANSWER), Told).what == ANSWER


@pytest.mark.covers("MS-OXCMAPIHTTP_R2229", "MS-OXCMAPIHTTP_R2230", "MS-OXCMAPIHTTP_R2232")
@pytest.mark.covers("MS-OXCMAPIHTTP_R137", "MS-OXCMAPIHTTP_R152")
def test_failures_after_the_beginning(connected: Wire, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        for what, code in ((FAULT, "16"), (BREAK, "1")):
            answer = connected.send("Execute", Ask(what).pack())
            assert answer.headers["x-responsecode"] == "0"
            assert answer.more["x-responsecode"] == code
            assert answer.more["content-type"] == "text/html"
            assert b"secret" not in answer.body
            assert b"<not" not in answer.body.lower()
    assert "RuntimeError" in caplog.text
    assert connected.ask("Execute", Ask(ANSWER), Told).what == ANSWER


@pytest.mark.covers("MS-OXCMAPIHTTP_R51", "MS-OXCMAPIHTTP_R1304")
def test_failures_before_the_beginning(wire: Make, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = wire().send("Connect", Ask(BREAK).pack())
    assert answer.status == 500
    assert b"secret" not in answer.body


def test_a_status_has_the_failure_body(connected: Wire) -> None:
    answer = connected.send("Execute", Ask(FAIL).pack())
    assert answer.code == 0
    assert answer.body == Failure(0x6F7).pack() == bytes.fromhex("f7060000 00000000")


# -- keep-alives, contexts -----------------------------------------------------------------------------


@contextmanager
def waiting(wire: Wire, request_type: str = "Execute") -> Iterator[list[Answer]]:
    """A request that runs until the block ends; its answer is there afterwards."""
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(wire.send(request_type, Ask(WAIT).pack())))
    thread.start()
    yield answers
    thread.join(20)
    assert answers


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R1135",
    "MS-OXCMAPIHTTP_R1178",
    "MS-OXCMAPIHTTP_R1185",
    "MS-OXCMAPIHTTP_R1213",
    "MS-OXCMAPIHTTP_R1214",
    "MS-OXCMAPIHTTP_R1233",
    "MS-OXCMAPIHTTP_R1237",
    "MS-OXCMAPIHTTP_R1238",
    "MS-OXCMAPIHTTP_R1239",
    "MS-OXCMAPIHTTP_R1240",
    "MS-OXCMAPIHTTP_R1241",
    "MS-OXCMAPIHTTP_R2227",
)
def test_keep_alives_come_while_the_request_runs(running: Running, site: Site, connected: Wire) -> None:
    body = Ask(WAIT).pack()
    headers = connected.headers("Execute") | {"Host": "x", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(("127.0.0.1", running.port), 20) as sock:
        sock.sendall(f"POST {PATH} HTTP/1.1\r\n{head}\r\n".encode() + body)
        seen = b""
        while seen.count(b"9\r\nPENDING\r\n\r\n") < 3:  # nothing is held back until the end
            seen += sock.recv(4096)
            assert b"DONE" not in seen
        assert b"\r\n\r\nc\r\nPROCESSING\r\n\r\n9\r\nPENDING\r\n" in seen
        site.go()
        while not seen.endswith(b"\r\n0\r\n\r\n"):
            seen += sock.recv(4096)
    content = seen.partition(b"\r\n\r\n")[2]
    assert re.match(rb"c\r\nPROCESSING\r\n\r\n(9\r\nPENDING\r\n\r\n){3,}[0-9a-f]+\r\nDONE\r\n", content)
    assert content.count(b"DONE") == 1


def test_the_period_is_not_exceeded() -> None:
    from appliance.protocols.mapihttp.reply import KEEP_ALIVE as real
    from appliance.protocols.mapihttp.reply import PENDING_PERIOD

    assert real == 15.0
    assert KEEP_ALIVE < real <= PENDING_PERIOD == 30.0


@pytest.mark.covers("MS-OXCMAPIHTTP_R1227", "MS-OXCMAPIHTTP_R1228", "MS-OXCMAPIHTTP_R151")
def test_one_request_at_a_time(wire: Make, connected: Wire, site: Site) -> None:
    before = wire(like=connected)
    with waiting(connected) as answers:
        assert site.running.acquire(timeout=20)
        answer = refused(before, "Execute", Ask(ANSWER).pack(), 15)
        assert len(answer.set_cookies) == 2
        refused(before, "Execute", Ask(ANSWER).pack(), 15)  # with the cookies that came just now
        refused(before, "Disconnect", Ask(ANSWER).pack(), 15)
        assert before.ping().code == 0
        site.go()
    assert answers[0].code == 0
    assert "PENDING" in answers[0].tags or answers[0].tags == ["PROCESSING", "DONE"]
    replay = wire(like=connected)
    assert connected.ask("Execute", Ask(ANSWER), Told).what == ANSWER
    refused(replay, "Execute", Ask(ANSWER).pack(), 15)


@pytest.mark.covers("MS-OXCMAPIHTTP_R1228")
def test_of_many_with_one_ticket_one_runs(wire: Make, connected: Wire) -> None:
    racers = [wire(like=connected) for _ in range(8)]
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda w=w: codes.append(w.send("Execute", Ask(ANSWER).pack()).code))
        for w in racers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(codes) == [0] + [15] * 7


@pytest.mark.covers("MS-OXCMAPIHTTP_R1261", "MS-OXCMAPIHTTP_R1262")
def test_polls_run_beside_requests(wire: Make, connected: Wire, site: Site) -> None:
    poll = wire(like=connected)
    with waiting(poll, "NotificationWait") as answers:
        assert site.running.acquire(timeout=20)
        for _ in range(3):
            assert connected.ask("Execute", Ask(ANSWER), Told).what == ANSWER
        site.go()
    assert Told.parse(answers[0].body).what == WAIT
    assert len(answers[0].set_cookies) == 2
    assert answers[0].headers["transfer-encoding"] == "chunked"
    assert connected.ask("Execute", Ask(ANSWER), Told).what == ANSWER


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R1277",
    "MS-OXCMAPIHTTP_R1278",
    "MS-OXCMAPIHTTP_R1279",
    "MS-OXCMAPIHTTP_R1280",
    "MS-OXCMAPIHTTP_R1329",
    "MS-OXCMAPIHTTP_R1195",
    "MS-OXCMAPIHTTP_R1219",
)
def test_connecting_again_replaces_the_context(wire: Make, connected: Wire, site: Site) -> None:
    for cookies in (
        dict(connected.cookies),
        {"MapiContext": connected.cookies["MapiContext"]},
        {**connected.cookies, "MapiSequence": "nonsense"},
    ):
        former = wire(like=connected)
        connected.cookies = cookies | {"MapiContext": connected.cookies["MapiContext"]}
        closed = site.closed
        assert connected.ask("Connect", Ask(ANSWER), Told).what == ANSWER
        assert site.closed == closed + 1
        assert len(site.endpoint.contexts) == 1
        assert connected.cookies["MapiContext"] != former.cookies["MapiContext"]
        refused(former, "Execute", Ask(ANSWER).pack(), 10)
        assert connected.ask("Execute", Ask(ANSWER), Told).what == ANSWER
    stranger = wire()
    stranger.cookies = {"MapiContext": "Invalid cookie"}
    assert stranger.ask("Connect", Ask(ANSWER), Told).what == ANSWER, "old cookies never keep anybody out"


def test_connecting_again_under_a_running_request(wire: Make, connected: Wire, site: Site) -> None:
    again = wire(like=connected)
    with waiting(connected) as answers:
        assert site.running.acquire(timeout=20)
        assert again.ask("Connect", Ask(ANSWER), Told).what == ANSWER
        assert site.closed == 0
        site.go()
    assert answers[0].code == 0
    assert site.closed == 1
    assert again.ask("Execute", Ask(ANSWER), Told).what == ANSWER


def test_a_refused_connect_leaves_no_context(connected: Wire, site: Site) -> None:
    answer = connected.send("Connect", Ask(FAIL).pack())
    assert Told.parse(answer.body).error_code == 0x3EB
    assert not answer.set_cookies
    assert len(site.endpoint.contexts) == 0
    assert site.closed == 1


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R1250",
    "MS-OXCMAPIHTTP_R2233",
    "MS-OXCMAPIHTTP_R2236",
    "MS-OXCMAPIHTTP_R1253",
    "MS-OXCMAPIHTTP_R146",
)
def test_disconnected_is_gone(connected: Wire, site: Site) -> None:
    assert connected.ask("Disconnect", Ask(ANSWER), Told).what == ANSWER
    assert site.closed == 1
    for request_type in ("Execute", "NotificationWait", "Disconnect"):
        refused(connected, request_type, Ask(ANSWER).pack(), 10)
    refused(connected, "PING", b"", 10)


def test_a_disconnect_that_breaks_is_one(
    connected: Wire, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.CRITICAL), pytest.raises(Refused):
        connected.ask("Disconnect", Ask(BREAK), Told)
    assert site.closed == 1


@pytest.mark.covers("MS-OXCMAPIHTTP_R1283", "MS-OXCMAPIHTTP_R1285")
def test_contexts_expire(connected: Wire, site: Site) -> None:
    site.on_loop(lambda: setattr(site.endpoint.contexts, "lifetime", 0.0))
    answer = connected.send("Execute", Ask(ANSWER).pack())
    assert answer.headers["x-responsecode"] == "10"
    assert site.closed == 1
    assert connected.ask("Connect", Ask(ANSWER), Told).what == ANSWER


def test_the_sweep_closes_what_nobody_asks_for(connected: Wire, site: Site) -> None:
    def sweep() -> None:
        site.endpoint.contexts.lifetime = 0.0
        site.endpoint._sweep()

    site.on_loop(sweep)
    assert site.closed == 1
    assert len(site.endpoint.contexts) == 0


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R1124",
    "MS-OXCMAPIHTTP_R1460",
    "MS-OXCMAPIHTTP_R90",
    "MS-OXCMAPIHTTP_R1247",
    "MS-OXCMAPIHTTP_R1249",
)
def test_ping_with_and_without_a_context(wire: Make, connected: Wire) -> None:
    answer = wire().ping()
    assert not answer.set_cookies
    assert answer.headers["x-expirationinfo"] == "900000"
    for _ in range(3):
        answer = connected.ping()
        assert len(answer.set_cookies) == 2
        assert answer.body == b""
    assert connected.ask("Execute", Ask(ANSWER), Told).what == ANSWER, "PING takes no ticket"


def test_who_leaves_within_a_request_loses_nothing(running: Running, connected: Wire, site: Site) -> None:
    body = Ask(WAIT).pack()
    headers = connected.headers("Execute") | {"Host": "x", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    sock = socket.create_connection(("127.0.0.1", running.port), 20)
    sock.sendall(f"POST {PATH} HTTP/1.1\r\n{head}\r\n".encode() + body)
    assert site.running.acquire(timeout=20)
    sock.close()
    refused(connected, "Execute", Ask(ANSWER).pack(), 15)
    site.go()
    while site.finished == 0:
        connected.ping()
    assert connected.ask("Execute", Ask(ANSWER), Told).what == ANSWER, "with the cookies of a refusal"


def test_requests_that_may_use_a_context(wire: Make, connected: Wire) -> None:
    one = wire()
    assert one.ask("GetMailboxUrl", Ask(ANSWER), Told).what == ANSWER
    assert not one.answer.set_cookies
    before = wire(like=connected)
    assert connected.ask("GetMailboxUrl", Ask(ANSWER), Told).what == ANSWER
    refused(before, "GetMailboxUrl", Ask(ANSWER).pack(), 15)


@pytest.mark.covers("MS-OXCMAPIHTTP_R154")
def test_what_runs_when_the_server_ends_is_told(serve: Callable[..., Running]) -> None:
    site = Site()
    running = serve(sites=[site.routes])
    wire = Wire(running.port, ANNA, PASSWORD, PATH)
    wire.ask("Connect", Ask(ANSWER), Told)
    with waiting(wire) as answers:
        assert site.running.acquire(timeout=20)
        running.stop()
    assert answers[0].code == 18
    wire.close()


@pytest.mark.covers("MS-OXCMAPIHTTP_R2")
def test_tls(running: Running) -> None:
    wire = Wire(0, ANNA, PASSWORD, PATH, open=lambda: running.client(tls=True))
    assert wire.ask("Connect", Ask(ANSWER), Told).what == ANSWER
    assert wire.ask("Execute", Ask(ANSWER), Told).what == ANSWER
    wire.close()
