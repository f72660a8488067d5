"""MS-OXCROPS 2.2.1 and 3.2.5: buffers of ROPs, handles and what becomes of them, batches that are wrong."""

import struct

import pytest

from tests.conformance.client import Mapi, execute_body, execute_buffers, execute_parts, rop_buffer
from tests.conformance.office import Person
from tests.conformance.store_rops import (
    EC_ACCESS_DENIED,
    EC_INVALID_OBJECT,
    EC_NOT_FOUND,
    EC_NULL_OBJECT,
    EC_RPC_FORMAT,
    INBOX,
    IPM,
    NONE,
    SUCCESS,
    Store,
    create_folder,
    get_contents_table,
    get_hierarchy_table,
    get_properties,
    get_receive_folder,
    head,
    logon,
    open_folder,
    private,
    query_rows,
    read,
    release,
    set_columns,
)

DISPLAY_NAME = 0x3001001F
OPENED = 8
"""Bytes of a RopOpenFolder response."""


@pytest.fixture
def store(mapi: Mapi, anna: Person) -> Store:
    """Anna's mailbox."""
    return private(mapi, anna)


def failure(mapi: Mapi, buffer: bytes, max_out: int = 0x10008) -> int:
    """The error of an Execute that fails as a whole: no ROP has an answer."""
    reply = mapi.post("Execute", execute_body(buffer, max_out))
    assert reply.code == 0
    if reply.body[:4] != bytes(4):  # the failure body: MS-OXCMAPIHTTP 2.2.4.2.3
        status, size = struct.unpack_from("<II", reply.body)
        assert len(reply.body) == 8 + size
        return int(status)
    _, error, _, rops, _ = execute_parts(reply.body)
    assert rops == b"", "MS-OXCRPC R669"
    return error


# --- what is not a batch ------------------------------------------------------------------------------------

RESERVED = (
    *(
        0x00,
        0x28,
        0x3C,
        0x3D,
        0x52,
        0x62,
        0x65,
        0x6A,
        0x71,
        0x7C,
        0x7D,
        0x83,
        0x84,
        0x85,
        0x87,
        0x88,
        0x8A,
        0x8B,
    ),
    *(
        0x8C,
        0x8D,
        0x8E,
        0x94,
        0x95,
        0x96,
        0x97,
        0x98,
        0x99,
        0x9A,
        0x9B,
        0x9C,
        0x9D,
        0x9E,
        0x9F,
        0xA0,
        0xFA,
        0xFB,
    ),
    *(0xFC, 0xFD),
)


@pytest.mark.covers("MS-OXCROPS_R16", "MS-OXCROPS_R180001", "MS-OXCROPS_R180005", "MS-OXCROPS_R213")
def test_reserved_rops_fail_the_request(store: Store) -> None:
    for rop in RESERVED:
        assert failure(store.mapi, rop_buffer(head(rop) + bytes(20), [store.handle])) == EC_RPC_FORMAT, hex(
            rop
        )
    assert store.open(store.folders[INBOX]) != NONE, "the session lives on"


REQUESTS = {
    "RopLogon": logon("/o=First/cn=somebody"),
    "RopOpenFolder": open_folder(1 << 63),
    "RopCreateFolder": create_folder("a name", "a comment"),
    "RopGetPropertiesSpecific": get_properties([DISPLAY_NAME, 0x0E080003]),
    "RopGetReceiveFolder": get_receive_folder(b"IPM.Note"),
    "RopSetColumns": set_columns([DISPLAY_NAME]),
}


@pytest.mark.covers("MS-OXCROPS_R4551", "MS-OXCRPC_R697", "MS-OXCRPC_R698", "MS-OXCRPC_R669")
@pytest.mark.parametrize("name", REQUESTS)
def test_a_rop_that_is_cut_off_fails_the_request(store: Store, name: str) -> None:
    whole = REQUESTS[name]
    for size in range(1, len(whole)):
        assert failure(store.mapi, rop_buffer(whole[:size], [store.handle, NONE])) == EC_RPC_FORMAT, size


@pytest.mark.covers("MS-OXCROPS_R4551")
def test_nothing_of_a_batch_that_cannot_be_read_is_done(store: Store) -> None:
    folder = store.open(store.folders[INBOX])
    batch = create_folder("Half", hin=0, hout=1) + b"\x00"
    assert failure(store.mapi, rop_buffer(batch, [folder, NONE])) == EC_RPC_FORMAT
    assert store.table(get_hierarchy_table(), folder, DISPLAY_NAME) == []


WRONG_BUFFERS = {
    "no header": b"",
    "half a header": bytes(7),
    "a payload that is shorter than it says": struct.pack("<HHHH", 0, 4, 10, 10) + b"\x02\x00",
    "a size that has no room for itself": struct.pack("<HHHH", 0, 4, 2, 2) + b"\x01\x00",
    "a size over the payload": struct.pack("<HHHH", 0, 4, 2, 2) + b"\x09\x00",
    "an empty payload": struct.pack("<HHHH", 0, 4, 0, 0),
    "handles of three bytes": struct.pack("<HHHH", 0, 4, 5, 5) + b"\x02\x00\xff\xff\xff",
    "sizes that differ without compression": struct.pack("<HHHH", 0, 4, 2, 9) + b"\x02\x00",
    "compression of nonsense": struct.pack("<HHHH", 0, 5, 6, 90) + b"\xff\xff\xff\xff\xff\xff",
    "another version": struct.pack("<HHHH", 1, 4, 2, 2) + b"\x02\x00",
}


@pytest.mark.covers("MS-OXCRPC_R697", "MS-OXCRPC_R698", "MS-OXCRPC_R1379")
@pytest.mark.parametrize("case", WRONG_BUFFERS)
def test_a_wrong_buffer_fails_the_request(store: Store, case: str) -> None:
    reply = store.mapi.post("Execute", execute_body(WRONG_BUFFERS[case]))
    if reply.code == 0:
        status, error = struct.unpack_from("<II", reply.body)
        assert (status or error) != 0
    else:
        assert reply.code == 12
    assert store.open(store.folders[INBOX]) != NONE


# --- packing ------------------------------------------------------------------------------------------------

NO_COMPRESSION, NO_XOR, CHAIN = 1, 2, 4


@pytest.fixture
def crowd(store: Store) -> int:
    """A folder of 120 folders with long names, open."""
    _, handle = store.create(store.open(store.folders[IPM]), "Crowd")
    for begin in range(0, 120, 40):
        names = [f"{number:03}" + "long name " * 15 for number in range(begin, begin + 40)]
        rops = b"".join(create_folder(name, hin=0, hout=1) + release(1) for name in names)
        responses, _ = store.mapi.execute(rops, [handle, NONE])
        assert len(responses) == 40 * 15
    return handle


@pytest.fixture
def listing(store: Store, crowd: int) -> int:
    """The table of the crowd, with names of 306 bytes as its column: about 37 kB."""
    answer = store.send(get_hierarchy_table(), crowd, NONE)
    table = answer.handles[1]
    assert store.send(set_columns([DISPLAY_NAME]), table).value == SUCCESS
    return table


def rows_of(responses: bytes) -> list[str]:
    """The names in one RopQueryRows response."""
    answer = read(responses, [])
    assert answer.value == SUCCESS
    _, count = answer.fields.numbers("BH")
    names = []
    for _ in range(count):
        assert answer.fields.number("B") == 0
        names.append(answer.fields.wide()[:3])
    answer.end()
    return names


@pytest.mark.covers("MS-OXCRPC_R1628", "MS-OXCRPC_R961")
def test_without_packing_there_is_one_payload_of_at_most_32_kilobytes(store: Store, listing: int) -> None:
    reply = store.mapi.post("Execute", execute_body(rop_buffer(query_rows(), [listing]), 0x10008))
    ((responses, _),) = execute_buffers(reply.body)
    assert len(responses) <= 0x8000
    first = rows_of(responses)
    assert 50 < len(first) < 120
    rest = rows_of(store.mapi.execute(query_rows(), [listing])[0])
    assert first + rest == [f"{number:03}" for number in range(120)]


@pytest.mark.covers(
    "MS-OXCRPC_R642",
    "MS-OXCRPC_R959",
    "MS-OXCRPC_R960",
    "MS-OXCRPC_R962",
    "MS-OXCRPC_R963",
    "MS-OXCRPC_R964",
    "MS-OXCRPC_R965",
    "MS-OXCRPC_R970",
    "MS-OXCRPC_R778",
    "MS-OXCRPC_R779",
)
def test_packing_returns_all_rows_in_several_payloads(store: Store, listing: int) -> None:
    body = execute_body(rop_buffer(query_rows(flags=2), [listing]), 0x18008, NO_COMPRESSION | NO_XOR | CHAIN)
    buffers = execute_buffers(store.mapi.post("Execute", body).body, 0x18008)
    assert len(buffers) == 2
    assert all(len(responses) <= 0x8000 for responses, _ in buffers)
    names = [name for responses, _ in buffers for name in rows_of(responses)]
    assert names == [f"{number:03}" for number in range(120)]


@pytest.mark.covers("MS-OXCRPC_R972", "MS-OXCRPC_R973")
def test_packing_never_returns_more_rows_than_asked(store: Store, listing: int) -> None:
    body = execute_body(
        rop_buffer(query_rows(110, flags=2), [listing]), 0x20000, NO_COMPRESSION | NO_XOR | CHAIN
    )
    buffers = execute_buffers(store.mapi.post("Execute", body).body, 0x20000)
    assert sum(len(rows_of(responses)) for responses, _ in buffers) == 110


@pytest.mark.covers("MS-OXCRPC_R962")
def test_only_the_last_rop_is_packed(store: Store, listing: int) -> None:
    rops = query_rows(flags=2) + head(0x17)  # RopQueryPosition behind it
    body = execute_body(rop_buffer(rops, [listing]), 0x20000, NO_COMPRESSION | NO_XOR | CHAIN)
    assert len(execute_buffers(store.mapi.post("Execute", body).body, 0x20000)) == 1


@pytest.mark.covers(
    "MS-OXCRPC_R634",
    "MS-OXCRPC_R638",
    "MS-OXCRPC_R780",
    "MS-OXCRPC_R783",
    "MS-OXCRPC_R4861",
    "MS-OXCRPC_R36",
    "MS-OXCRPC_R38",
    "MS-OXCRPC_R4794",
    "MS-OXCRPC_R39",
    "MS-OXCRPC_R40",
    "MS-OXCRPC_R42",
    "MS-OXCRPC_R44",
)
@pytest.mark.parametrize("flags", [0, NO_COMPRESSION, NO_XOR, NO_COMPRESSION | NO_XOR])
def test_payloads_are_altered_as_the_client_allows(store: Store, listing: int, flags: int) -> None:
    reply = store.mapi.post("Execute", execute_body(rop_buffer(query_rows(90), [listing]), 0x10008, flags))
    _, _, _, buffer, _ = execute_parts(reply.body)
    version, header, size, actual = struct.unpack_from("<HHHH", buffer)
    assert version == 0
    assert bool(header & 1) == (not flags & NO_COMPRESSION), "27 kB of repetition are compressed if allowed"
    assert not (header & 2 and flags & NO_XOR)
    assert size == len(buffer) - 8
    assert (size < actual) == bool(header & 1)
    ((responses, _),) = execute_buffers(reply.body)
    assert rows_of(responses) == [f"{number:03}" for number in range(90)]


def test_small_payloads_are_obfuscated_when_that_is_all(store: Store) -> None:
    reply = store.mapi.post("Execute", execute_body(rop_buffer(b"", [store.handle]), 0x10008, NO_COMPRESSION))
    assert execute_buffers(reply.body) == [(b"", [])] or execute_buffers(reply.body) == [
        (b"", [store.handle])
    ]


def obfuscated(buffer: bytes) -> bytes:
    """The same buffer with its payload under XOR: MS-OXCRPC 3.1.4.1.1.3."""
    version, flags, size, actual = struct.unpack_from("<HHHH", buffer)
    return struct.pack("<HHHH", version, flags | 2, size, actual) + bytes(byte ^ 0xA5 for byte in buffer[8:])


def compressed(buffer: bytes) -> bytes:
    """The same buffer with its payload under LZ77: literals, and a match at the end for a run of one byte."""
    payload = buffer[8:]
    body = payload.rstrip(payload[-1:])[:31]
    assert len(body) + 300 > len(payload) > len(body) + 30, "a short beginning and one long run"
    run = len(payload) - len(body) - 1
    plain = body + payload[-1:]
    mask = (1 << (31 - len(plain))) | ((1 << (31 - len(plain))) - 1)
    extra = bytes((15, run - 3 - 7 - 15))  # half a byte, then a byte: MS-OXCRPC 3.1.4.1.1.2.2.4
    packed = struct.pack("<I", mask) + plain + struct.pack("<H", 7) + extra
    return struct.pack("<HHHH", 0, 5, len(packed), len(payload)) + packed


@pytest.mark.covers("MS-OXCRPC_R768", "MS-OXCRPC_R771", "MS-OXCRPC_R4860")
@pytest.mark.parametrize("how", ["plain", "obfuscated", "compressed", "both"])
def test_requests_may_be_altered_too(store: Store, how: str) -> None:
    request = rop_buffer(open_folder(store.folders[INBOX]), [store.handle] + [NONE] * 30)
    altered = {
        "plain": request,
        "obfuscated": obfuscated(request),
        "compressed": compressed(request),
        "both": obfuscated(compressed(request)),
    }[how]
    ((responses, handles),) = execute_buffers(store.mapi.post("Execute", execute_body(altered)).body)
    assert responses == bytes((2, 1, 0, 0, 0, 0, 0, 0))
    assert handles[1] != NONE


@pytest.mark.covers("MS-OXCRPC_R663")
@pytest.mark.parametrize("size", [0, 7])
def test_there_is_no_room_for_an_answer(store: Store, size: int) -> None:
    assert failure(store.mapi, rop_buffer(b"", []), size) == 0x80040115  # ecRpcFailed


@pytest.mark.covers("MS-OXCRPC_R666")
def test_more_room_than_may_be_offered(store: Store) -> None:
    reply = store.mapi.post("Execute", execute_body(rop_buffer(b"", []), 0x00100001))
    assert reply.code != 0 or struct.unpack_from("<II", reply.body) != (0, 0)


# --- too small a buffer -------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCROPS_R4439",
    "MS-OXCROPS_R4655",
    "MS-OXCROPS_R4443",
    "MS-OXCROPS_R4445",
    "MS-OXCROPS_R4447",
    "MS-OXCROPS_R4517",
    "MS-OXCROPS_R4518",
    "MS-OXCROPS_R4545",
    "MS-OXCROPS_R454502",
)
def test_what_has_no_room_comes_back(store: Store) -> None:
    """Six properties in each of twelve ROPs: what fits is answered, the rest is handed back unprocessed."""
    folder = store.open(store.folders[INBOX])
    one = get_properties([DISPLAY_NAME, 0x66700102, 0x65E00102, 0x65E20102, 0x0FFF0102])
    ((whole, _),) = [store.mapi.execute(one, [folder])]
    room = 8 + 2 + 4 + len(one) * 12 + len(whole) * 5 + 40
    reply = store.mapi.post("Execute", execute_body(rop_buffer(one * 12, [folder]), room))
    ((responses, handles),) = execute_buffers(reply.body, room)
    done, left = responses.partition(b"\xff")[0], b""
    count = 0
    while responses.startswith(whole):
        responses, count = responses[len(whole) :], count + 1
    assert 0 < count < 12
    assert responses[0] == 0xFF, done
    (needed,) = struct.unpack_from("<H", responses, 1)
    left = responses[3:]
    assert left == one * (12 - count), "whole requests, the first of them the one that found no room"
    assert needed > room
    again, _ = store.mapi.execute(left, [folder], needed)
    assert again == whole * (12 - count), "and with the room that was asked for all is answered"
    assert handles == [folder]


@pytest.mark.covers("MS-OXCROPS_R4546", "MS-OXCROPS_R20009", "MS-OXCROPS_R454507")
def test_rows_shrink_to_the_room_there_is(store: Store, listing: int) -> None:
    reply = store.mapi.post("Execute", execute_body(rop_buffer(query_rows(), [listing]), 2000))
    ((responses, _),) = execute_buffers(reply.body, 2000)
    assert 3 <= len(rows_of(responses)) <= 6


# --- handles ------------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCROPS_R4548",
    "MS-OXCROPS_R4550",
    "MS-OXCROPS_R4707",
    "MS-OXCROPS_R4719",
    "MS-OXCROPS_R4556",
    "MS-OXCROPS_R4558",
    "MS-OXCROPS_R4559",
    "MS-OXCROPS_R4560",
    "MS-OXCROPS_R4565",
)
def test_a_batch_uses_what_it_made(mapi: Mapi, anna: Person) -> None:
    first = private(mapi, anna)
    inbox = first.folders[INBOX]
    rops = logon(anna.dn, hout=2) + open_folder(inbox, hin=2, hout=0) + get_hierarchy_table(hin=0, hout=4)
    rops += set_columns([DISPLAY_NAME], hin=4) + query_rows(hin=4)
    responses, handles = mapi.execute(rops, [NONE] * 5)
    assert [responses[0], responses[166], responses[174], responses[184], responses[191]] == [
        *(0xFE, 0x02, 0x04, 0x12, 0x15)
    ]
    assert responses[1] == 2
    assert responses[167] == 0
    assert responses[175] == 4
    assert len(handles) == 5
    assert NONE not in (handles[0], handles[2], handles[4])
    assert len({handles[0], handles[2], handles[4]}) == 3
    assert (handles[1], handles[3]) == (NONE, NONE), "what was not touched is as it was sent"


@pytest.mark.covers("MS-OXCROPS_R4712", "MS-OXCROPS_R471201")
@pytest.mark.parametrize("index", [1, 7, 255])
def test_an_index_outside_the_table_is_a_null_object(store: Store, index: int) -> None:
    answer = store.send(get_properties([DISPLAY_NAME], hin=index), store.handle)
    assert (answer.rop, answer.index, answer.value) == (0x07, index, EC_NULL_OBJECT)


@pytest.mark.covers("MS-OXCROPS_R457302", "MS-OXCROPS_R4555", "MS-OXCROPS_R4553", "MS-OXCROPS_R4714001")
@pytest.mark.parametrize("handle", [NONE, 0, 12345, 0x7FFFFFFF])
def test_a_handle_that_never_was_is_a_null_object(store: Store, handle: int) -> None:
    assert handle != store.handle
    for rop in (get_properties([DISPLAY_NAME]), get_hierarchy_table(), open_folder(store.folders[INBOX])):
        answer = store.send(rop, handle, NONE)
        assert answer.value == EC_NULL_OBJECT
        assert answer.handles[:1] == [handle]


@pytest.mark.covers("MS-OXCROPS_R457301", "MS-OXCROPS_R4568", "MS-OXCROPS_R4472")
def test_a_handle_that_was_released_is_an_invalid_object(store: Store) -> None:
    folder = store.open(store.folders[INBOX])
    store.release(folder)
    assert store.send(get_properties([DISPLAY_NAME]), folder).value == EC_INVALID_OBJECT


@pytest.mark.covers("MS-OXCROPS_R457303", "MS-OXCROPS_R4538", "MS-OXCROPS_R4554")
def test_a_handle_of_another_logon_is_refused(mapi: Mapi, anna: Person) -> None:
    store = private(mapi, anna)
    folder = store.open(store.folders[INBOX])
    responses, handles = mapi.execute(logon(anna.dn, logon_id=1), [NONE])
    assert struct.unpack_from("<I", responses, 2) == (SUCCESS,)
    answer = store.send(head(0x04, 0, 1) + b"\x01\x00", folder, NONE)
    assert answer.value == EC_ACCESS_DENIED
    assert store.send(get_hierarchy_table(), folder, NONE).value == SUCCESS
    assert handles[0] != store.handle


@pytest.mark.covers("MS-OXCROPS_R4555", "MS-OXCROPS_R4714001")
def test_a_logon_that_never_was(store: Store) -> None:
    answer = store.send(open_folder(store.folders[INBOX], logon=9), store.handle, NONE)
    assert answer.value != SUCCESS
    assert answer.index == 1


@pytest.mark.covers("MS-OXCROPS_R4572", "MS-OXCROPS_R4571", "MS-OXCROPS_R4573", "MS-OXCROPS_R4581")
@pytest.mark.parametrize("handle", [NONE, 0, 4711])
def test_a_release_never_answers(store: Store, handle: int) -> None:
    assert store.mapi.execute(release(0) + release(3), [handle])[0] == b""
    assert store.mapi.execute(release(0, logon=77), [store.handle])[0] == b""
    assert store.open(store.folders[INBOX]) != NONE


@pytest.mark.covers("MS-OXCROPS_R4570", "MS-OXCROPS_R4580", "MS-OXCROPS_R4568")
def test_releasing_a_logon_ends_what_it_opened(mapi: Mapi, anna: Person) -> None:
    store = private(mapi, anna)
    folder = store.open(store.folders[INBOX])
    store.release(store.handle)
    for handle in (store.handle, folder):
        assert store.send(get_properties([DISPLAY_NAME]), handle).value != SUCCESS
    again = private(mapi, anna)
    assert again.open(again.folders[INBOX]) != NONE, "the number of the logon is free"


def test_a_logon_with_a_number_in_use_replaces_it(mapi: Mapi, anna: Person) -> None:
    """MS-OXCROPS 2.2.3.1.1: the current logon is released and replaced with the new one."""
    old = private(mapi, anna)
    folder = old.open(old.folders[INBOX])
    new = private(mapi, anna)
    assert new.handle != old.handle
    assert old.send(get_properties([DISPLAY_NAME]), folder).value != SUCCESS
    assert old.send(get_properties([DISPLAY_NAME]), old.handle).value != SUCCESS
    assert new.open(new.folders[INBOX]) != NONE


def test_a_batch_with_two_logons_opens_in_each(mapi: Mapi, anna: Person) -> None:
    inbox = private(mapi, anna).folders[INBOX]
    rops = logon(anna.dn, logon_id=7, hout=0) + logon(anna.dn, logon_id=200, hout=1)
    rops += open_folder(inbox, hin=0, hout=2, logon=7) + open_folder(inbox, hin=1, hout=3, logon=200)
    responses, handles = mapi.execute(rops, [NONE] * 4)
    assert responses[332:] == bytes((2, 2, 0, 0, 0, 0, 0, 0, 2, 3, 0, 0, 0, 0, 0, 0))
    assert len(set(handles)) == 4


def test_a_failure_does_not_end_the_batch(store: Store) -> None:
    folder = store.open(store.folders[INBOX])
    rops = open_folder(store.replid | 0x7777 << 16, hin=0, hout=1) + get_properties([DISPLAY_NAME], hin=1)
    rops += get_contents_table(hin=2, hout=3)
    responses, handles = store.mapi.execute(rops, [store.handle, NONE, folder, NONE])
    assert struct.unpack_from("<BBI", responses) == (0x02, 1, EC_NOT_FOUND)
    assert struct.unpack_from("<BBI", responses, 6) == (0x07, 1, EC_NULL_OBJECT)
    assert struct.unpack_from("<BBII", responses, 12) == (0x05, 3, 0, 0)
    assert handles[1] == NONE
    assert handles[3] != NONE


@pytest.mark.covers("MS-OXCROPS_R4712")
def test_an_output_index_outside_the_table_is_a_null_object(store: Store) -> None:
    answer = store.send(open_folder(store.folders[INBOX], hout=3), store.handle)
    assert (answer.index, answer.value) == (3, EC_NULL_OBJECT)


def test_an_output_may_replace_its_input(store: Store) -> None:
    answer = store.send(open_folder(store.folders[INBOX], hin=0, hout=0), store.handle)
    assert answer.value == SUCCESS
    assert answer.handles[0] != store.handle
    assert store.open(store.folders[INBOX]) not in (NONE, answer.handles[0])


WRONG_OBJECTS = {
    "RopGetHierarchyTable on a table": get_hierarchy_table(),
    "RopGetContentsTable on a table": get_contents_table(),
    "RopOpenFolder on a table": open_folder(1),
    "RopCreateFolder on a table": create_folder("x"),
    "RopSetSearchCriteria on a table": head(0x30) + bytes(8),
    "RopGetSearchCriteria on a table": head(0x31) + bytes(3),
    "RopGetPermissionsTable on a table": head(0x3E) + b"\x01\x00",
    "RopModifyPermissions on a table": head(0x40) + bytes(3),
    "RopGetReceiveFolder on a table": get_receive_folder(b"IPM"),
}
"""Each with the answer ecNotSupported: MS-OXCFOLD 3.2.5, MS-OXCPERM, MS-OXCDATA 2.4."""


@pytest.mark.covers(
    "MS-OXCFOLD_R473",
    "MS-OXCFOLD_R495",
    "MS-OXCFOLD_R574",
    "MS-OXCFOLD_R582",
    "MS-OXCFOLD_R658",
    "MS-OXCFOLD_R672",
)
@pytest.mark.parametrize("case", WRONG_OBJECTS)
def test_a_rop_on_an_object_of_another_kind_is_not_supported(store: Store, case: str) -> None:
    table = store.call(get_hierarchy_table(), NONE)
    folder = store.open(store.folders[INBOX])
    table = store.send(get_hierarchy_table(), folder, NONE)
    assert store.send(WRONG_OBJECTS[case], table.handles[1], NONE).value == 0x80040102
