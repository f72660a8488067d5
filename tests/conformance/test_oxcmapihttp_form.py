"""MS-OXCMAPIHTTP 2.2: the form of requests and responses, and what is said of those that are wrong."""

import re
import struct
from email.utils import parsedate_to_datetime

import pytest

from tests.conformance.client import (
    EMSMDB,
    NSPI,
    Mapi,
    connect_body,
    execute_body,
    execute_parts,
    extended_payloads,
    rop_buffer,
)
from tests.conformance.office import Person
from tests.conformance.store_rops import (
    EC_ACCESS_DENIED,
    EC_UNKNOWN_USER,
    NONE,
    Fields,
    logon,
)

BIND = struct.pack("<IB", 0, 0) + struct.pack("<I", 0)
"""Flags, no STAT, no auxiliary buffer. MS-OXCMAPIHTTP 2.2.5.1.1."""

EXECUTE = execute_body(rop_buffer(b"", []))
LEAVE = struct.pack("<I", 0)

INVALID_VERB, INVALID_HEADER, INVALID_TYPE, INVALID_COOKIE, MISSING_HEADER = 2, 4, 5, 6, 7
NOT_FOUND, INVALID_BODY, MISSING_COOKIE, INVALID_SEQUENCE = 10, 12, 13, 15


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R209",
    "MS-OXCMAPIHTTP_R1349",
    "MS-OXCMAPIHTTP_R210",
    "MS-OXCMAPIHTTP_R211",
    "MS-OXCMAPIHTTP_R212",
    "MS-OXCMAPIHTTP_R214",
    "MS-OXCMAPIHTTP_R215",
    "MS-OXCMAPIHTTP_R216",
    "MS-OXCMAPIHTTP_R1351",
    "MS-OXCMAPIHTTP_R218",
    "MS-OXCMAPIHTTP_R1352",
)
def test_a_successful_connect_has_its_body_and_nothing_more(anna: Person) -> None:
    with anna.session() as client:
        reply = client.connect(anna.dn)
        assert reply.code == 0
        fields = Fields(reply.body)
        status, error, polls, retries, delay = fields.numbers("IIIII")
        assert (status, error) == (0, 0)
        assert polls > 0
        assert retries < 100
        assert delay < 3_600_000
        prefix = fields.ascii()
        assert prefix == "" or prefix.startswith("/o=")
        assert fields.wide() == anna.name
        auxiliary = fields.take(fields.number("I"))
        fields.end()
        assert_auxiliary(auxiliary)


def assert_auxiliary(buffer: bytes) -> dict[tuple[int, int], bytes]:
    """AUX_HEADERs in an extended buffer, each as long as it says: MS-OXCRPC 3.1.4.1.1.1.2, 2.2.2.2."""
    blocks: dict[tuple[int, int], bytes] = {}
    if buffer:
        (payload,) = extended_payloads(buffer)
        while payload:
            size, version, kind = struct.unpack_from("<HBB", payload)
            assert 4 <= size <= len(payload)
            blocks[kind, version] = payload[4:size]
            payload = payload[size:]
    return blocks


@pytest.mark.covers("MS-OXCRPC_R1068", "MS-OXCRPC_R1069", "MS-OXCRPC_R1061", "MS-OXCRPC_R575")
def test_connect_tells_of_public_folders(anna: Person) -> None:
    with anna.session() as client:
        fields = Fields(client.connect(anna.dn).body)
        fields.numbers("IIIII")
        fields.ascii()
        fields.wide()
        blocks = assert_auxiliary(fields.take(fields.number("I")))
        (flags,) = struct.unpack("<I", blocks[0x17, 0x01])  # AUX_EXORGINFO: MS-OXCRPC 2.2.2.2.17
        assert flags & 0x1, "PUBLIC_FOLDERS_ENABLED"


@pytest.mark.covers("MS-OXCMAPIHTTP_R164", "MS-OXCMAPIHTTP_R165")
def test_the_server_gives_its_version(anna: Person) -> None:
    with anna.session() as client:
        version = client.connect(anna.dn).headers["x-serverapplication"]
        assert re.fullmatch(r"Exchange/15\.\d\d\.\d{4}\.\d{3}", version)


@pytest.mark.covers("MS-OXCMAPIHTTP_R157", "MS-OXCMAPIHTTP_R158", "MS-OXCMAPIHTTP_R1242")
def test_the_pending_period_is_half_a_minute(mapi: Mapi) -> None:
    assert mapi.post("PING").headers["x-pendingperiod"] == "30000"


@pytest.mark.covers("MS-OXCMAPIHTTP_R167")
def test_the_expiration_is_told_in_milliseconds(mapi: Mapi) -> None:
    assert 60_000 <= int(mapi.post("PING").headers["x-expirationinfo"]) <= 24 * 3_600_000


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R168",
    "MS-OXCMAPIHTTP_R169",
    "MS-OXCMAPIHTTP_R170",
    "MS-OXCMAPIHTTP_R171",
    "MS-OXCMAPIHTTP_R2228",
)
def test_times_stand_behind_the_last_tag(mapi: Mapi) -> None:
    extra = mapi.post("Execute", EXECUTE).extra
    assert int(extra["x-elapsedtime"]) < 60_000
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", extra["x-starttime"])
    assert parsedate_to_datetime(extra["x-starttime"]).tzinfo is not None


@pytest.mark.covers("MS-OXCMAPIHTTP_R2050", "MS-OXCMAPIHTTP_R2239")
def test_device_information_is_ignored_and_never_sent(mapi: Mapi) -> None:
    reply = mapi.post("PING", headers={"X-DeviceInfo": "proxy 1"})
    assert reply.code == 0
    assert "x-deviceinfo" not in reply.headers | reply.extra


@pytest.mark.covers("MS-OXCMAPIHTTP_R2040", "MS-OXCMAPIHTTP_R156", "MS-OXCMAPIHTTP_R1146")
def test_request_id_and_client_info_come_back(mapi: Mapi) -> None:
    given = {"X-RequestId": "{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:123456", "X-ClientInfo": "{A}:77"}
    reply = mapi.post("PING", headers=dict(given))
    assert {name: reply.headers[name.lower()] for name in given} == given


@pytest.mark.covers("MS-OXCMAPIHTTP_R1305", "MS-OXCMAPIHTTP_R1432", "MS-OXCMAPIHTTP_R1464")
def test_ids_of_requests_are_those_of_the_context(anna: Person) -> None:
    with anna.mapi() as one, anna.mapi() as other:
        of_one = [one.post("PING").headers["x-requestid"] for _ in range(2)]
        assert of_one[0] != of_one[1]
        assert len({each.partition(":")[0] for each in of_one}) == 1
        assert other.post("PING").headers["x-requestid"].partition(":")[0] != of_one[0].partition(":")[0]


def test_a_client_without_client_info_is_served(anna: Person) -> None:
    with anna.session() as client:
        reply = client.post("Connect", connect_body(anna.dn), {"X-ClientInfo": None})
        assert reply.code == 0
        assert "x-clientinfo" not in reply.headers


WRONG_REQUESTS = {
    "no request type": ({"X-RequestType": None}, MISSING_HEADER),
    "no request id": ({"X-RequestId": None}, MISSING_HEADER),
    "no content type": ({"Content-Type": None}, MISSING_HEADER),
    "another content type": ({"Content-Type": "text/plain"}, INVALID_HEADER),
    "an unknown request type": ({"X-RequestType": "Conect"}, INVALID_TYPE),
    "a request type of the address book": ({"X-RequestType": "Bind"}, INVALID_TYPE),
}


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R140",
    "MS-OXCMAPIHTTP_R141",
    "MS-OXCMAPIHTTP_R143",
    "MS-OXCMAPIHTTP_R2038",
    "MS-OXCMAPIHTTP_R47",
    "MS-OXCMAPIHTTP_R54",
    "MS-OXCMAPIHTTP_R56",
)
@pytest.mark.parametrize("case", WRONG_REQUESTS)
def test_a_wrong_header_is_answered_with_its_code(anna: Person, case: str) -> None:
    headers, code = WRONG_REQUESTS[case]
    with anna.session() as client:
        reply = client.exchange("Connect", connect_body(anna.dn), headers)  # type: ignore[arg-type]
        assert (reply.status, reply.code) == (200, code)
        assert reply.headers["content-type"].startswith("text/html")
        assert reply.body != b"", "diagnostic information"
        assert not reply.cookies, "no context was made"
        assert client.connect(anna.dn).code == 0, "the connection lives on"


@pytest.mark.covers("MS-OXCMAPIHTTP_R138")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_is_a_verb(anna: Person, method: str) -> None:
    with anna.session() as client:
        reply = client.exchange("Connect", b"", method=method)
        assert reply.code == INVALID_VERB or reply.status == 405


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [(NSPI, "Connect", LEAVE), (NSPI, "Execute", EXECUTE), (EMSMDB, "QueryRows", BIND)],
)
@pytest.mark.covers("MS-OXCMAPIHTTP_R176", "MS-OXCMAPIHTTP_R141")
def test_request_types_belong_to_an_endpoint(anna: Person, path: str, kind: str, body: bytes) -> None:
    with anna.session(path) as client:
        assert client.exchange(kind, body).code == INVALID_TYPE


@pytest.mark.covers("MS-OXCMAPIHTTP_R35", "MS-OXCMAPIHTTP_R36", "MS-OXCMAPIHTTP_R1331")
@pytest.mark.parametrize("path", [EMSMDB, NSPI])
def test_anonymous_clients_are_turned_away(anna: Person, path: str) -> None:
    with anna.session(path) as client:
        client.credentials = None
        reply = client.exchange("Connect", connect_body(anna.dn))
        assert reply.status == 401
        assert "www-authenticate" in reply.headers


@pytest.mark.covers("MS-OXCMAPIHTTP_R1331")
def test_a_wrong_password_is_turned_away(anna: Person) -> None:
    with Mapi(anna.port, anna.address, "not the password") as client:
        assert client.exchange("Connect", connect_body(anna.dn)).status == 401


CONNECT_BODIES = {
    "empty": b"",
    "a name that does not end": b"/o=First",
    "no numbers": b"/o=First\0",
    "cut off in the numbers": connect_body("/o=First")[:-6],
    "no auxiliary size": connect_body("/o=First")[:-4],
    "an auxiliary buffer that is not there": connect_body("/o=First")[:-4] + struct.pack("<I", 100),
}


@pytest.mark.covers("MS-OXCMAPIHTTP_R148")
@pytest.mark.parametrize("case", CONNECT_BODIES)
def test_a_connect_body_that_cannot_be_read(anna: Person, case: str) -> None:
    with anna.session() as client:
        reply = client.exchange("Connect", CONNECT_BODIES[case])
        assert (reply.status, reply.code) == (200, INVALID_BODY)
        assert not reply.cookies


@pytest.mark.covers("MS-OXCRPC_R600", "MS-OXCMAPIHTTP_R210", "MS-OXCMAPIHTTP_R1350")
@pytest.mark.parametrize("dn", ["/o=nowhere/ou=none/cn=Recipients/cn=nobody", "nonsense"])
def test_an_unknown_user_is_an_error_of_the_operation(anna: Person, dn: str) -> None:
    with anna.session() as client:
        reply = client.exchange("Connect", connect_body(dn))
        assert reply.code == 0
        assert failed_connect(reply.body) == EC_UNKNOWN_USER


@pytest.mark.covers("MS-OXCRPC_R1369")
def test_an_empty_name_is_refused(anna: Person) -> None:
    with anna.session() as client:
        reply = client.exchange("Connect", connect_body(""))
        assert reply.code == 0
        assert failed_connect(reply.body) == EC_ACCESS_DENIED


@pytest.mark.covers("MS-OXCRPC_R4888")
def test_nobody_connects_in_the_name_of_another(anna: Person, ben: Person) -> None:
    with anna.session() as client:
        reply = client.exchange("Connect", connect_body(ben.dn))
        assert reply.code == 0
        assert failed_connect(reply.body) == EC_ACCESS_DENIED


def failed_connect(body: bytes) -> int:
    """The ErrorCode of a connect that failed; the layout is that of one that succeeded."""
    fields = Fields(body)
    status, error, *_ = fields.numbers("IIIII")
    assert status == 0
    assert (fields.ascii(), fields.wide()) == ("", "")
    fields.take(fields.number("I"))
    fields.end()
    return error


@pytest.mark.covers("MS-OXCRPC_R490", "MS-OXCRPC_R603")
def test_administrators_alone_connect_as_such(anna: Person) -> None:
    with anna.session() as client:
        reply = client.exchange("Connect", connect_body(anna.dn, flags=1))
        assert reply.code == 0
        assert failed_connect(reply.body) == 0x3F2  # ecLoginPerm


EXECUTE_BODIES = {
    "empty": b"",
    "no buffer": struct.pack("<II", 3, 100),
    "a buffer that is too short": struct.pack("<II", 3, 100) + bytes(50),
    "no sizes behind the buffer": EXECUTE[:-8],
    "no auxiliary size": EXECUTE[:-4],
    "an auxiliary buffer that is not there": EXECUTE[:-4] + struct.pack("<I", 64),
    "a size of two gigabytes": struct.pack("<II", 3, 0x7FFFFFFF),
}


@pytest.mark.covers("MS-OXCMAPIHTTP_R148")
@pytest.mark.parametrize("case", EXECUTE_BODIES)
def test_an_execute_body_that_cannot_be_read(mapi: Mapi, case: str) -> None:
    assert mapi.post("Execute", EXECUTE_BODIES[case]).code == INVALID_BODY
    assert mapi.post("Execute", EXECUTE).code == 0, "the session lives on"


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R250",
    "MS-OXCMAPIHTTP_R1356",
    "MS-OXCMAPIHTTP_R251",
    "MS-OXCMAPIHTTP_R252",
    "MS-OXCMAPIHTTP_R1358",
    "MS-OXCMAPIHTTP_R253",
    "MS-OXCMAPIHTTP_R254",
    "MS-OXCMAPIHTTP_R1360",
    "MS-OXCMAPIHTTP_R255",
    "MS-OXCMAPIHTTP_R256",
    "MS-OXCMAPIHTTP_R1361",
    "MS-OXCRPC_R644",
    "MS-OXCRPC_R658",
)
def test_an_execute_without_rops_answers_with_an_empty_buffer(mapi: Mapi) -> None:
    reply = mapi.post("Execute", EXECUTE)
    status, error, flags, buffer, auxiliary = execute_parts(reply.body)
    assert (status, error, flags) == (0, 0, 0)
    assert extended_payloads(buffer) == [b"\x02\x00"]
    assert_auxiliary(auxiliary)


@pytest.mark.covers("MS-OXCMAPIHTTP_R174", "MS-OXCMAPIHTTP_R82", "MS-OXCMAPIHTTP_R84", "MS-OXCMAPIHTTP_R86")
def test_every_response_sets_the_cookies_again(anna: Person) -> None:
    with anna.session() as client:
        first = client.exchange("Connect", connect_body(anna.dn)).cookies
        assert first
        client.cookies = dict(first)
        for kind, body in (("Execute", EXECUTE), ("PING", b""), ("Disconnect", LEAVE)):
            reply = client.exchange(kind, body)
            assert reply.code == 0
            assert reply.cookies.keys() == first.keys(), kind
            client.cookies.update(reply.cookies)


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R281",
    "MS-OXCMAPIHTTP_R1363",
    "MS-OXCMAPIHTTP_R288",
    "MS-OXCMAPIHTTP_R289",
    "MS-OXCMAPIHTTP_R290",
    "MS-OXCMAPIHTTP_R1365",
    "MS-OXCMAPIHTTP_R2234",
    "MS-OXCMAPIHTTP_R1255",
)
def test_a_disconnect_has_its_body(mapi: Mapi) -> None:
    reply = mapi.disconnect()
    assert reply.code == 0
    fields = Fields(reply.body)
    assert fields.numbers("II") == (0, 0)
    fields.take(fields.number("I"))
    fields.end()
    assert reply.cookies


def test_a_disconnect_needs_no_body(mapi: Mapi) -> None:
    """3.1.5.4 says that the request has no body, 2.2.4.3.1 gives it one: both are served."""
    assert mapi.post("Disconnect").code == 0


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R1460", "MS-OXCMAPIHTTP_R1247", "MS-OXCMAPIHTTP_R1249", "MS-OXCMAPIHTTP_R1127"
)
def test_a_ping_has_no_body(mapi: Mapi) -> None:
    reply = mapi.post("PING")
    assert (reply.code, reply.body) == (0, b"")


@pytest.mark.covers("MS-OXCMAPIHTTP_R1128")
def test_the_address_book_is_pinged(anna: Person) -> None:
    with anna.session(NSPI) as client:
        assert client.post("Bind", BIND).code == 0
        reply = client.post("PING")
        assert (reply.code, reply.body) == (0, b"")


@pytest.mark.covers(
    "MS-OXCMAPIHTTP_R61", "MS-OXCMAPIHTTP_R460", "MS-OXCMAPIHTTP_R1254", "MS-OXCMAPIHTTP_R1281"
)
def test_answers_at_once_or_in_pieces(mapi: Mapi) -> None:
    """`post` asserts that there is either a length or chunks; a length counts what came."""
    for kind, body in (("PING", b""), ("Execute", EXECUTE), ("Disconnect", LEAVE)):
        reply = mapi.post(kind, body)
        assert reply.chunked or int(reply.headers["content-length"]) > 0


@pytest.mark.covers("MS-OXCRPC_R1373")
def test_large_requests_have_a_limit(mapi: Mapi) -> None:
    """A buffer over 256 KiB is refused, whatever the words are."""
    reply = mapi.post("Execute", execute_body(bytes(0x40001)))
    assert reply.code in (9, INVALID_BODY) or execute_status(reply.body) != 0
    assert mapi.post("Execute", EXECUTE).code == 0


def execute_status(body: bytes) -> int:
    """The StatusCode or ErrorCode of an Execute that failed."""
    status, error = struct.unpack_from("<II", body)
    return int(status or error)


def test_logon_in_the_same_breath_as_connect(anna: Person) -> None:
    """Sizes are right in a batch with much in it: five logons, one behind the other."""
    with anna.mapi() as client:
        rops = b"".join(logon(anna.dn, logon_id=number, hout=number) for number in range(5))
        responses, handles = client.execute(rops, [NONE] * 5)
        assert len(responses) == 5 * 166
        assert len(set(handles)) == 5
