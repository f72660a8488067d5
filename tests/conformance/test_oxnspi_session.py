"""Bind, Unbind and what every request of the address book endpoint shares. MS-OXNSPI 3.1.4.1.1."""

import struct

import pytest

from tests.conformance.book import Book
from tests.conformance.client import Mapi
from tests.conformance.nspi import (
    CURRENT,
    DISPLAY_NAME,
    INVALID_CODE_PAGE,
    NOT_SUPPORTED,
    PERMITTED,
    REQUEST_TYPES,
    SUCCESS,
    UNBIND_SUCCESS,
    UNICODE,
    UNKNOWN_CODE_PAGE,
    Stat,
    bind,
    bind_answer,
    call,
    compare,
    compared,
    content,
    dn_to_id,
    get_matches,
    get_prop_list,
    get_props,
    ids_answer,
    mod_link,
    mod_props,
    plain_answer,
    query_columns,
    query_rows,
    resolve_names,
    resort,
    seek,
    special_table,
    tagged,
    template_info,
    u32,
    unbind,
    update_stat,
    url_of,
)

INVALID_REQUEST_TYPE = 5
CONTEXT_NOT_FOUND = 10
INVALID_BODY = 12
MISSING_COOKIE = 13

SESSIONLESS = ("Bind", "GetMailboxUrl", "GetAddressBookUrl")
"""The referral methods behind the last two know no session: MS-OXABREF 3.1.4."""

BODIES = {
    "Bind": bind(),
    "Unbind": unbind(),
    "CompareMIds": compare(Stat(), 1, 1),
    "DNToMId": dn_to_id(["/o=a/cn=b"]),
    "GetMatches": get_matches(Stat(), content(DISPLAY_NAME, "A"), columns=[DISPLAY_NAME], name=bytes(20)),
    "GetPropList": get_prop_list(CURRENT),
    "GetProps": get_props(Stat(), [DISPLAY_NAME]),
    "GetSpecialTable": special_table(version=1),
    "GetTemplateInfo": template_info(0, dn="/cn=x"),
    "ModLinkAtt": mod_link(DISPLAY_NAME, CURRENT, [b"12345678"]),
    "ModProps": mod_props(Stat(current=CURRENT), [DISPLAY_NAME], u32(1) + tagged(DISPLAY_NAME, "x")),
    "QueryColumns": query_columns(),
    "QueryRows": query_rows(Stat(), columns=[DISPLAY_NAME], ids=[16]),
    "ResolveNames": resolve_names(Stat(), ["a"], [DISPLAY_NAME]),
    "ResortRestriction": resort(Stat(), [16]),
    "SeekEntries": seek(Stat(), tagged(DISPLAY_NAME, "A"), ids=[16], columns=[DISPLAY_NAME]),
    "UpdateStat": update_stat(Stat()),
    "GetMailboxUrl": url_of("/o=x"),
    "GetAddressBookUrl": url_of("/o=x"),
}


def test_every_request_type_has_a_body() -> None:
    assert set(BODIES) == set(REQUEST_TYPES)


@pytest.mark.covers("MS-OXNSPI_R697", "MS-OXNSPI_R700", "MS-OXCMAPIHTTP_R1441", "MS-OXCMAPIHTTP_R349")
@pytest.mark.parametrize("stat", [Stat(), Stat(code_page=20261), Stat(code_page=1251), None], ids=str)
def test_bind(book: Book, stat: Stat | None) -> None:
    with book.client() as client:
        error, guid = call(client, "Bind", bind(stat), bind_answer)
        assert error == SUCCESS
        assert guid != bytes(16)
        assert client.cookies, "3.2.5.1: the Session Context has a cookie"


@pytest.mark.covers("MS-OXCMAPIHTTP_R1320", "MS-OXCMAPIHTTP_R332", "MS-OXNSPI_R671", "MS-OXNSPI_R1668")
def test_bind_ignores_other_flags(book: Book) -> None:
    with book.client() as client:
        assert call(client, "Bind", bind(flags=0xFFFFFFFF & ~0x20), bind_answer)[0] == SUCCESS


@pytest.mark.covers("MS-OXNSPI_R689", "MS-OXNSPI_R690")
def test_bind_as_somebody_anonymous_is_not_supported(book: Book) -> None:
    with book.client() as client:
        assert call(client, "Bind", bind(flags=0x20), bind_answer)[0] == NOT_SUPPORTED


@pytest.mark.covers("MS-OXNSPI_R696", "MS-OXNSPI_R680", "MS-OXCMAPIHTTP_R2225")
@pytest.mark.parametrize("code_page", [UNICODE, UNKNOWN_CODE_PAGE, 0xFFFFFFFF])
def test_bind_with_a_code_page_that_is_not_served(book: Book, code_page: int) -> None:
    with book.client() as client:
        reply = client.post("Bind", bind(Stat(code_page=code_page)))
        assert bind_answer(reply.body)[0] == INVALID_CODE_PAGE
        again = client.post("Bind", bind())
        assert bind_answer(again.body)[0] == SUCCESS


@pytest.mark.covers("MS-OXCMAPIHTTP_R2090")
def test_bind_takes_an_auxiliary_buffer(book: Book) -> None:
    block = struct.pack("<HBB", 8, 1, 0x0A) + bytes(4)
    header = struct.pack("<HHHH", 0, 4, len(block), len(block))
    with book.client() as client:
        assert call(client, "Bind", bind(aux=header + block), bind_answer)[0] == SUCCESS


@pytest.mark.covers("MS-OXNSPI_R608", "MS-OXNSPI_R611", "MS-OXNSPI_R1993")
def test_two_sessions_of_one_guid_have_the_same_ids(book: Book) -> None:
    seen = []
    for _ in range(2):
        with book.client() as client:
            _, guid = call(client, "Bind", bind(), bind_answer)
            ids = call(client, "DNToMId", dn_to_id([book.me.dn]), ids_answer)
            seen.append((guid, ids))
    assert seen[0] == seen[1] or seen[0][0] != seen[1][0]


@pytest.mark.covers("MS-OXNSPI_R712", "MS-OXCMAPIHTTP_R1438", "MS-OXCMAPIHTTP_R1253", "MS-OXCMAPIHTTP_R2233")
def test_unbind_ends_the_session(book: Book) -> None:
    with book.bound() as client:
        assert call(client, "Unbind", unbind(), plain_answer) == UNBIND_SUCCESS
        assert client.exchange("QueryColumns", query_columns()).code == CONTEXT_NOT_FOUND


@pytest.mark.covers("MS-OXCMAPIHTTP_R1308", "MS-OXNSPI_R705", "MS-OXNSPI_R1673")
def test_unbind_ignores_reserved(book: Book) -> None:
    with book.bound() as client:
        assert call(client, "Unbind", unbind(0xFFFFFFFF), plain_answer) == UNBIND_SUCCESS


@pytest.mark.covers("MS-OXCMAPIHTTP_R1255")
def test_unbind_returns_cookies(book: Book) -> None:
    with book.bound() as client:
        assert client.exchange("Unbind", unbind()).cookies


@pytest.mark.covers("MS-OXCMAPIHTTP_R149", "MS-OXNSPI_R420")
@pytest.mark.parametrize("request_type", [name for name in REQUEST_TYPES if name not in SESSIONLESS])
def test_without_a_session(book: Book, request_type: str) -> None:
    with book.client() as client:
        assert client.exchange(request_type, BODIES[request_type]).code == MISSING_COOKIE


@pytest.mark.covers("MS-OXCMAPIHTTP_R1277", "MS-OXCMAPIHTTP_R1278", "MS-OXCMAPIHTTP_R1329")
def test_binding_again_replaces_the_session(book: Book) -> None:
    with book.bound() as client, client.twin() as old:
        error, _ = call(client, "Bind", bind(), bind_answer)
        assert error == SUCCESS
        assert call(client, "QueryColumns", query_columns(), ids_answer)[0] == SUCCESS
        assert old.exchange("QueryColumns", query_columns()).code == CONTEXT_NOT_FOUND


@pytest.mark.covers("MS-OXCMAPIHTTP_R1128", "MS-OXCMAPIHTTP_R1460", "MS-OXCMAPIHTTP_R1249")
def test_ping(nspi: Mapi) -> None:
    reply = nspi.post("PING")
    assert (reply.code, reply.body) == (0, b"")


@pytest.mark.covers("MS-OXCMAPIHTTP_R141")
@pytest.mark.parametrize("request_type", ["Connect", "Execute", "NotificationWait", "Nonsense", "bind"])
def test_request_types_of_elsewhere(nspi: Mapi, request_type: str) -> None:
    assert nspi.exchange(request_type, b"").code == INVALID_REQUEST_TYPE


@pytest.mark.covers("MS-OXCMAPIHTTP_R148")
@pytest.mark.parametrize("request_type", [name for name in REQUEST_TYPES if name != "Unbind"])
def test_a_body_cut_anywhere_is_invalid(book: Book, request_type: str) -> None:
    whole = BODIES[request_type]
    with book.bound() as client:
        for size in sorted({*range(0, len(whole), 5), len(whole) - 1}):
            reply = client.exchange(request_type, whole[:size])
            assert (reply.status, reply.code) == (200, INVALID_BODY), size
            assert reply.headers["content-type"].startswith("text/html")
            client.cookies.update(reply.cookies)
        assert call(client, "QueryColumns", query_columns(), ids_answer)[0] == SUCCESS


@pytest.mark.covers("MS-OXCMAPIHTTP_R148")
@pytest.mark.parametrize("request_type", [name for name in REQUEST_TYPES if name not in ("Bind", "Unbind")])
def test_an_auxiliary_buffer_longer_than_the_body(nspi: Mapi, request_type: str) -> None:
    reply = nspi.exchange(request_type, BODIES[request_type][:-4] + u32(0x7FFFFFFF))
    assert reply.code == INVALID_BODY


@pytest.mark.parametrize("request_type", REQUEST_TYPES)
def test_every_answer_has_a_permitted_error(book: Book, request_type: str) -> None:
    with book.bound() as client:
        reply = client.post(request_type, BODIES[request_type])
        assert reply.code == 0
        status, error = struct.unpack_from("<II", reply.body)
        assert status == 0
        assert error in PERMITTED


@pytest.mark.covers("MS-OXCMAPIHTTP_R1432", "MS-OXCMAPIHTTP_R2040", "MS-OXCMAPIHTTP_R156")
def test_names_of_requests_are_returned(nspi: Mapi) -> None:
    for _ in range(3):
        sent = nspi.send("QueryColumns", query_columns())
        reply = nspi.receive()
        nspi.cookies.update(reply.cookies)
        assert reply.headers["x-requestid"] == sent["X-RequestId"]
        assert reply.headers["x-clientinfo"] == sent["X-ClientInfo"]


@pytest.mark.covers("MS-OXCMAPIHTTP_R2239", "MS-OXCMAPIHTTP_R2050")
def test_an_intermediate_device_is_ignored(nspi: Mapi) -> None:
    reply = nspi.post("QueryColumns", query_columns(), {"X-DeviceInfo": "box-17"})
    assert reply.code == 0
    assert "x-deviceinfo" not in reply.headers


def test_filters_with_and_without_marks_mean_the_same(nspi: Mapi) -> None:
    # Both forms are sent: MS-OXCMAPIHTTP 2.2.5.5.1 refers to MS-OXCDATA; Outlook marks each string.
    answers = [
        nspi.post("GetMatches", get_matches(Stat(), compared(DISPLAY_NAME, 4, "Anna Berger", marked=marked)))
        for marked in (False, True)
    ]
    assert answers[0].body == answers[1].body
