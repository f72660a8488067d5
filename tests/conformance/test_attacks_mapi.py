"""A client that means ill, over MAPI/HTTP: requests that are cut off, lie about sizes, nest and repeat.

What is asked of every answer: it is the protocol's own (an X-ResponseCode, a StatusCode or a response of the
ROP), and the server is as before (`unharmed`).
"""

import random
import struct

import pytest

from tests.conformance.attacks import attack, run
from tests.conformance.client import (
    EMSMDB,
    LAST,
    NSPI,
    Mapi,
    connect_body,
    execute_body,
    rop_buffer,
)
from tests.conformance.office import Person
from tests.conformance.store_rops import (
    NONE,
    SUCCESS,
    Store,
    create_message,
    get_contents_table,
    get_properties,
    head,
    logon,
)
from tests.conformance.values import tagged

pytestmark = pytest.mark.usefixtures("unharmed")

SUBJECT = 0x0037001F
INVALID_BODY = 12

INBOX = 4


@pytest.fixture
def store(mapi: Mapi, anna: Person) -> Store:
    """Anna's logon."""
    return Store(mapi, anna.dn)


def still_works(store: Store) -> None:
    """The session goes on."""
    answer = store.call(get_properties([0x3001001F]))
    assert answer.value == SUCCESS


# Bodies


@pytest.mark.parametrize("kind", ["Connect", "Execute", "Disconnect", "NotificationWait"])
def test_every_body_cut_off(mapi: Mapi, anna: Person, kind: str) -> None:
    bodies = {
        "Connect": connect_body(anna.dn, auxiliary=b"abcd"),
        "Execute": execute_body(rop_buffer(logon(anna.dn), [NONE]), auxiliary=b""),
        "Disconnect": struct.pack("<II", 4, 0),
        "NotificationWait": struct.pack("<II", 0, 4) + b"abcd",
    }
    whole = bodies[kind]
    step = max(1, len(whole) // 40)
    for size in range(1, len(whole) - 1, step):
        reply = attack(mapi, whole[:size], kind)
        if kind == "Disconnect" and reply.code == 0:
            return
        assert reply.code == INVALID_BODY or reply.body[:8] != bytes(8), size


@pytest.mark.parametrize("path", [EMSMDB, NSPI])
def test_noise_in_every_request(anna: Person, path: str) -> None:
    noise = random.Random(0x0A11)
    kinds = {
        EMSMDB: ("Connect", "Execute", "NotificationWait", "PING"),
        NSPI: ("Bind", "GetMatches", "QueryRows", "ResolveNames", "ModProps", "SeekEntries", "GetProps"),
    }[path]
    with anna.session(path) as client:
        first = connect_body(anna.dn) if path == EMSMDB else struct.pack("<IBI", 0, 0, 0)
        assert attack(client, first, kinds[0]).code == 0
        for _ in range(150):
            body = noise.randbytes(noise.choice((0, 1, 4, 7, 16, 45, 200, 3000)))
            attack(client, body, noise.choice(kinds))


def test_the_largest_body(mapi: Mapi) -> None:
    """Announced beyond the limit it is refused before it is sent: X-ResponseCode 9, or HTTP's 413."""
    reply = mapi.exchange("Execute", b"", {"Content-Length": str(1 << 40)})
    assert reply.status == 413 or (reply.status, reply.code) == (200, 9)


# Extended buffers


def extended(version: int, flags: int, size: int, actual: int, payload: bytes) -> bytes:
    """An Execute whose buffer has that header."""
    return execute_body(struct.pack("<HHHH", version, flags, size, actual) + payload)


def lz77_bomb(actual: int) -> bytes:
    """A literal and one match which claims the rest. MS-XCA 2.4: the length's longest form."""
    match = struct.pack("<I", 0x7FFFFFFF) + b"\0" + struct.pack("<H", 7)
    return match + b"\xff" + b"\xff" + struct.pack("<H", min(actual, 0xFFFF))


@pytest.mark.parametrize(
    "body",
    [
        extended(1, LAST, 4, 4, b"\x02\0\0\0"),
        extended(0, LAST, 0xFFFF, 0xFFFF, b"\x02\0\0\0"),
        extended(0, LAST, 4, 0xFFFF, b"\x02\0\0\0"),
        extended(0, 0, 4, 4, b"\x02\0\0\0"),
        extended(0, LAST, 2, 2, b"\x02\0") + b"more",
        extended(0, LAST, 2, 2, b"\xff\xff"),
        extended(0, LAST, 2, 2, b"\0\0"),
        extended(0, LAST, 5, 5, b"\x02\0\0\0\0"),
        extended(0, LAST | 1, 11, 0x8000, lz77_bomb(0x8000)),
        extended(0, LAST | 1, 11, 0xFFFF, lz77_bomb(0xFFFF)),
        extended(0, LAST | 1, 9, 0xFFFF, struct.pack("<I", 0xFFFFFFFF) + b"\xff" * 5),
        extended(0, LAST | 1, 0, 0xFFFF, b""),
        extended(0, LAST | 1, 4, 0x8000, bytes(4)),
        extended(0, LAST | 3, 64, 0x8000, bytes(64)),
        extended(0, LAST | 0xFFF8, 2, 2, b"\x02\0"),
        execute_body(struct.pack("<HHHH", 0, 0, 2, 2) + b"\x02\0") * 1,
        execute_body((struct.pack("<HHHH", 0, 0, 2, 2) + b"\x02\0") * 500),
        struct.pack("<II", 3, 0xFFFFFFFF) + bytes(40),
        struct.pack("<II", 3, 0x7FFFFFFF) + bytes(40),
        execute_body(b"")[:-4] + struct.pack("<I", 0xFFFFFFFF),
        execute_body(rop_buffer(b"", []), auxiliary=b"\xff" * 0x1008),
        execute_body(
            rop_buffer(b"", []), auxiliary=struct.pack("<HHHH", 0, LAST | 1, 11, 0xFFFF) + bytes(11)
        ),
    ],
)
def test_buffers_that_lie(store: Store, body: bytes) -> None:
    attack(store.mapi, body)
    still_works(store)


@pytest.mark.parametrize("most", [0, 1, 7, 9, 20, 0x7FFFFFFF, 0xFFFFFFFF])
def test_room_for_the_answer(store: Store, most: int) -> None:
    attack(store.mapi, execute_body(rop_buffer(get_properties([SUBJECT]), [store.handle]), most))
    still_works(store)


# Batches


def test_a_batch_of_many_rops(store: Store) -> None:
    """As many as a buffer holds: each opens something that is never released."""
    for _ in range(3):
        run(store.mapi, get_contents_table(0, 0, 1) * 5000, [store.handle, NONE])
    still_works(store)


def test_more_objects_than_a_session_may_have(store: Store) -> None:
    folder = store.folders[INBOX]
    rops = b"".join(create_message(folder, hout=1) for _ in range(2000))
    for _ in range(4):
        run(store.mapi, rops, [store.handle, NONE])
    still_works(store)


@pytest.mark.parametrize("block", range(0, 256, 16))
def test_every_rop_with_noise(mapi: Mapi, anna: Person, block: int) -> None:
    """Any number, and behind it anything: on the logon, on a folder and on a message."""
    noise = random.Random(block)
    for rop in range(block, block + 16):
        store = Store(mapi, anna.dn)
        folder = store.open(store.folders[INBOX])
        message = store.send(create_message(store.folders[INBOX]), folder, NONE).handles[1]
        for handle in (store.handle, folder, message):
            for _ in range(3):
                rest = noise.randbytes(noise.choice((0, 1, 3, 8, 21, 64, 400)))
                if noise.random() < 0.5:  # small numbers get further
                    rest = bytes(byte & noise.choice((0, 1, 3)) for byte in rest)
                run(store.mapi, head(rop, 0) + rest, [handle, NONE, NONE, NONE])
        if rop not in (0x01, 0xFE):
            still_works(store)


def u16(number: int) -> bytes:
    """Two bytes."""
    return struct.pack("<H", number)


def nested(operator: int, depth: int) -> bytes:
    """AND or OR of one, NOT, COUNT or SUBOBJECT in each other; at the bottom an ExistRestriction."""
    layer = {
        0: b"\x00" + u16(1),
        1: b"\x01" + u16(1),
        2: b"\x02",
        9: b"\x09" + struct.pack("<I", 0x0E12000D),
        10: b"\x0a\0\x01",
        11: b"\x0b" + struct.pack("<I", 1),
    }[operator]
    return layer * depth + b"\x08" + struct.pack("<I", SUBJECT)


@pytest.mark.parametrize("operator", [0, 1, 2, 9, 10, 11])
@pytest.mark.parametrize("depth", [100, 5000])
def test_nested_restrictions(store: Store, operator: int, depth: int) -> None:
    table = store.send(get_contents_table(), store.open(store.folders[INBOX]), NONE).handles[1]
    restriction = nested(operator, depth)
    for rop in (b"\x14\0\0\0", b"\x4f\0\0\0"):  # RopRestrict, RopFindRow
        rest = b"\0\0" if rop[0] == 0x4F else b""
        run(store.mapi, rop + u16(len(restriction)) + restriction + rest, [table])
    search = head(0x30) + u16(len(restriction)) + restriction + u16(0) + struct.pack("<I", 0x22)
    run(store.mapi, search, [store.open(store.folders[INBOX])])
    still_works(store)


def broad(count: int) -> bytes:
    """An AND that says to have that many parts, and has one."""
    return b"\x00" + u16(count) + b"\x08" + struct.pack("<I", SUBJECT)


HUGE = 0xFFFF
HUGE_CASES = {
    "SetColumns": head(0x12) + struct.pack("<BH", 0, HUGE),
    "SetColumns, all of them": head(0x12) + struct.pack("<BH", 0, 7000) + struct.pack("<I", SUBJECT) * 7000,
    "GetPropertiesSpecific": head(0x07) + struct.pack("<HHH", 0, 1, HUGE),
    "GetPropertiesSpecific, all": head(0x07) + struct.pack("<HHH", 0, 1, 7000) + u16(0x1F) * 14000,
    "GetPropertiesAll": head(0x08) + struct.pack("<HH", 0xFFFF, 1),
    "SetProperties, size": head(0x0A) + u16(HUGE) + u16(1) + tagged(SUBJECT, "x"),
    "SetProperties, count": head(0x0A)
    + u16(len(tagged(SUBJECT, "x")) + 2)
    + u16(HUGE)
    + tagged(SUBJECT, "x"),
    "SetProperties, string": head(0x0A) + u16(8) + u16(1) + struct.pack("<IH", SUBJECT, 0x4141),
    "SetProperties, many": head(0x0A) + u16(10) + u16(1) + struct.pack("<II", 0x80001003, 0x40000000),
    "SetProperties, object": head(0x0A) + u16(6) + u16(1) + struct.pack("<I", 0x3701000D),
    "SetProperties, no type": head(0x0A) + u16(10) + u16(1) + struct.pack("<II", 0x30010FFF, 1),
    "DeleteProperties": head(0x0B) + u16(HUGE),
    "GetNamesFromPropertyIds": head(0x55) + u16(HUGE),
    "GetPropertyIdsFromNames": head(0x56) + b"\x02" + u16(HUGE) + b"\x01" + bytes(17),
    "GetPropertyIdsFromNames, length": head(0x56)
    + b"\x02"
    + u16(1)
    + b"\x01"
    + bytes(16)
    + b"\xff"
    + bytes(9),
    "ModifyRecipients": head(0x0E) + u16(HUGE) + u16(HUGE) + struct.pack("<IB", 0, 1) + u16(HUGE),
    "ModifyRecipients, columns": head(0x0E) + u16(HUGE) + struct.pack("<I", SUBJECT) * 4000,
    "ModifyRules": head(0x41) + b"\0" + u16(HUGE) + b"\x01" + u16(HUGE),
    "ModifyPermissions": head(0x40) + b"\0" + u16(HUGE) + b"\x01" + u16(HUGE),
    "SortTable": head(0x13) + b"\0" + struct.pack("<HHH", HUGE, HUGE, HUGE),
    "SortTable, all": head(0x13) + b"\0" + struct.pack("<HHH", 3000, 3000, 3000) + bytes(5) * 3000,
    "Restrict": head(0x14) + b"\0" + u16(HUGE) + broad(1),
    "Restrict, broad": head(0x14) + b"\0" + u16(len(broad(HUGE))) + broad(HUGE),
    "SetSearchCriteria": head(0x30) + u16(0) + u16(HUGE) + bytes(8),
    "DeleteMessages": head(0x1E) + b"\0\0" + u16(HUGE) + bytes(8),
    "DeleteMessages, all": head(0x1E) + b"\0\0" + u16(3500) + b"\x01\0\0\0\0\0\0\x01" * 3500,
    "MoveCopyMessages": head(0x33) + b"\0" + u16(HUGE) + bytes(9),
    "SetReadFlags": head(0x66) + b"\0\0" + u16(HUGE),
    "SetMessageReadFlag": struct.pack("<BBBBB", 0x11, 0, 0, 0, 0xFF),
    "CreateFolder": head(0x1C) + b"\x01\x01\x01\0\0" + "x".encode("utf-16-le") * 14000 + bytes(4),
    "CreateFolder, endless": head(0x1C) + b"\x01\x01\x01\0\0" + b"x\0" * 14000,
    "Logon": struct.pack("<BBBBIIH", 0xFE, 0, 0, 1, 0, 0, HUGE) + b"/o=",
    "OpenStream": head(0x2B) + b"\x01" + struct.pack("<IB", 0x10000102, 2),
    "GetBuffer": head(0x4E) + u16(0xBABE) + u16(HUGE),
    "PutBuffer": head(0x54) + u16(HUGE) + bytes(20),
    "CopyTo": head(0x39) + b"\0\0\0\0" + u16(HUGE),
    "CopyProperties": head(0x67) + b"\0\0\0" + u16(HUGE),
    "FastTransferSourceCopyMessages": head(0x4B) + b"\x01" + u16(HUGE) + bytes(8),
    "FastTransferSourceCopyTo": head(0x4D) + b"\x01\0" + struct.pack("<IB", 0, 1) + u16(HUGE),
    "SynchronizationConfigure": head(0x70) + b"\x01\x01\0" + u16(0) + u16(HUGE),
    "GetLocalReplicaIds": head(0x7F) + struct.pack("<I", 0xFFFFFFFF),
    "SetLocalReplicaMidsetDeleted": head(0x93) + u16(HUGE) + struct.pack("<I", 0x7FFFFFFF),
    "RegisterNotification": head(0x29) + b"\x01" + struct.pack("<HB", 0xFFFF, 1),
    "WritePerUserInformation": head(0x64) + bytes(24) + struct.pack("<BIH", 0, 0, HUGE),
    "SetSpooler": head(0x47),
    "TransportSend": head(0x4A),
    "SubmitMessage": head(0x32) + b"\0",
    "GetAddressTypes": head(0x49),
    "OptionsData": head(0x6F) + b"\xff" * 300 + b"\0\0",
    "ImportMessageChange": head(0x72) + b"\x01\0" + u16(HUGE) + tagged(SUBJECT, "x") * 3,
    "ImportDeletes": head(0x74) + b"\0" + u16(1) + struct.pack("<II", 0x10001102, 0x10000000),
    "ImportReadStateChanges": head(0x80) + u16(HUGE) + bytes(10),
    "UploadStateStreamBegin": head(0x75) + struct.pack("<II", 0x67960102, 0xFFFFFFFF),
}


@pytest.mark.parametrize("target", ["logon", "folder", "message", "table"])
def test_counts_that_lie(mapi: Mapi, anna: Person, target: str) -> None:
    for case, rop in HUGE_CASES.items():
        store = Store(mapi, anna.dn)
        folder = store.open(store.folders[INBOX])
        handle = {"logon": store.handle, "folder": folder}.get(target)
        if handle is None:
            made = create_message(store.folders[INBOX]) if target == "message" else get_contents_table()
            handle = store.send(made, folder, NONE).handles[1]
        run(mapi, rop, [handle, NONE])
        if case != "Logon":
            still_works(store)
