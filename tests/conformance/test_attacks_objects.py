"""A client that means ill, over MAPI/HTTP: objects stretched and flooded, and what belongs to somebody else.

Limits are asked for by what they keep in bounds: memory (`unharmed`), and the answers' own size.
"""

import random
import struct

import pytest

from tests.conformance.attacks import run
from tests.conformance.client import EMSMDB, NSPI, Mapi
from tests.conformance.office import Office, Person
from tests.conformance.store_rops import (
    EC_RPC_FORMAT,
    NONE,
    SUCCESS,
    Answer,
    Store,
    create_message,
    get_contents_table,
    get_properties,
    head,
    logon,
    open_folder,
    open_message,
    save_message,
    set_properties,
)
from tests.conformance.values import tagged

pytestmark = pytest.mark.usefixtures("unharmed")

INBOX = 4
SUBJECT = 0x0037001F
BODY = 0x1000001F
RTF_COMPRESSED = 0x10090102
SECRET = "The merger is on Friday"
CONTEXT_NOT_FOUND = 10
INVALID_SEQUENCE = 15


@pytest.fixture
def store(mapi: Mapi, anna: Person) -> Store:
    """Anna's logon."""
    return Store(mapi, anna.dn)


def new_message(store: Store) -> int:
    """The handle of a message that is not saved."""
    answer = store.call(create_message(store.folders[INBOX]), NONE)
    assert answer.value == SUCCESS
    return answer.handles[1]


def refused(answer: Answer) -> None:
    """An error, and nothing with it."""
    assert answer.value != SUCCESS


# Streams


def open_stream(tag: int, mode: int) -> bytes:
    """RopOpenStream: MS-OXCROPS 2.2.9.1.1."""
    return head(0x2B) + struct.pack("<BIB", 1, tag, mode)


def stream(store: Store, message: int, tag: int = BODY, mode: int = 2) -> int:
    """The handle of a stream, for writing from the beginning."""
    answer = store.send(open_stream(tag, mode), message, NONE)
    assert answer.value == SUCCESS
    return answer.handles[1]


def test_a_stream_as_long_as_a_number(store: Store) -> None:
    """RopSetStreamSize: 2^31 is the most that a stream may have (MS-OXCPRPT 2.2.20.2)."""
    for size in ((1 << 31) + 1, 1 << 32, 1 << 40, (1 << 63) - 1, (1 << 64) - 1):
        refused(store.send(head(0x2F) + struct.pack("<Q", size), stream(store, new_message(store))))


def test_a_write_far_behind_the_end(store: Store) -> None:
    at = stream(store, new_message(store))
    for origin, offset in ((0, 1 << 40), (1, -5), (2, (1 << 62)), (0, (1 << 63) - 1), (3, 0), (0, -1)):
        moved = store.send(head(0x2E) + struct.pack("<Bq", origin, offset), at)
        if moved.value == SUCCESS:
            refused(store.send(head(0x2D) + struct.pack("<H", 4) + b"abcd", at))


def test_reads_of_more_than_there_is(store: Store) -> None:
    at = stream(store, new_message(store))
    assert store.send(head(0x2D) + struct.pack("<H", 4) + b"a\0b\0", at).value == SUCCESS
    assert store.send(head(0x2E) + struct.pack("<Bq", 0, 0), at).value == SUCCESS
    for most in (100, 0x8000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
        error, responses = run(store.mapi, head(0x2C) + struct.pack("<HI", 0xBABE, most), [at])
        assert (error == EC_RPC_FORMAT) == (most > 0x80000000), "MS-OXCROPS 2.2.9.2.1"
        assert responses[:2] == (b"" if error else b"\x2c\0")
        assert len(responses) <= 12


def test_streams_by_the_thousand(store: Store) -> None:
    """Each is an object of the session; there is an end to them."""
    message = new_message(store)
    values = set()
    for _ in range(6):
        rops = open_stream(BODY, 1) * 900
        responses, _ = store.mapi.execute(rops, [message, NONE])
        while responses:
            value = struct.unpack_from("<I", responses, 2)[0]
            values.add(value)
            responses = responses[10 if value == SUCCESS else 6 :]
    assert values - {SUCCESS}, "somewhere it is refused"


# Bodies that grow when they are read


def compressed_rtf(raw: int, data: bytes, *, signature: bytes = b"LZFu") -> bytes:
    """MS-OXRTFCP 2.1.3.1, with a checksum of nothing."""
    return struct.pack("<II", len(data) + 12, raw) + signature + bytes(4) + data


RTF = {
    "claims a lot": compressed_rtf(0x7FFFFFFF, b"\x00" + b"{\\rtf1 x"),
    "claims all": compressed_rtf(0xFFFFFFFF, b"\x01\x00\x00"),
    "matches": compressed_rtf(0x7FFFFFFF, (b"\xff" + b"\x00\x0f" * 8) * 4000),
    "matches beyond": compressed_rtf(64, b"\xff" + b"\xff\xff" * 8),
    "cut off": compressed_rtf(100, b"")[:7],
    "wrong signature": compressed_rtf(4, b"{}{}", signature=b"XXXX"),
    "plain, longer than it is": compressed_rtf(1 << 30, b"{\\rtf1 x}", signature=b"MELA"),
    "nested": compressed_rtf(30_000, b"{" * 30_000, signature=b"MELA"),
    "html": compressed_rtf(30_000, b"{\\rtf1\\fromhtml1 " + b"{\\*\\htmltag <b>" * 1800, signature=b"MELA"),
    "binary": compressed_rtf(60, b"{\\rtf1 {\\pict\\bin2147483647 x}}", signature=b"MELA"),
    "unicode": compressed_rtf(60, b"{\\rtf1\\uc2147483647 \\u99999999999 x}", signature=b"MELA"),
}


@pytest.mark.parametrize("case", RTF)
def test_bombs_of_rtf(store: Store, case: str) -> None:
    """Saved, and read in all the other forms that a body has."""
    message = new_message(store)
    data = RTF[case]
    for start in range(0, len(data), 30_000):
        piece = data[start : start + 30_000]
        at = stream(store, message, RTF_COMPRESSED, 2 if start == 0 else 1)
        if start:
            assert store.send(head(0x2E) + struct.pack("<Bq", 2, 0), at).value == SUCCESS
        assert store.send(head(0x2D) + struct.pack("<H", len(piece)) + piece, at).value == SUCCESS
        store.send(head(0x5D), at)
        store.release(at)
    store.send(save_message(0, 1), message, store.handle)
    for tag in (BODY, 0x10130102, RTF_COMPRESSED, 0x0E080003):
        answer = store.send(get_properties([tag], limit=0), message)
        assert len(answer.fields.data) < 0x8000
        store.send(open_stream(tag, 0), message, NONE)


# Uploads


def test_noise_as_a_fast_transfer(store: Store) -> None:
    """RopFastTransferDestinationConfigure and Put: MS-OXCROPS 2.2.12.1, 2.2.12.2."""
    noise = random.Random(5)
    starts = (
        b"",
        struct.pack("<I", 0x400C0003),
        struct.pack("<I", 0x40090003),
        struct.pack("<I", 0x0037001F),
    )
    for number in range(60):
        message = new_message(store)
        answer = store.send(head(0x53) + struct.pack("<BBB", 1, 1, 0), message, NONE)
        if answer.value != SUCCESS:
            continue
        target = answer.handles[1]
        for _ in range(3):
            data = starts[number % 4] + noise.randbytes(noise.choice((1, 4, 40, 3000)))
            if number % 2:
                data = starts[number % 4] + struct.pack("<I", 0x7FFFFFF0) + data
            error, responses = run(store.mapi, head(0x54) + struct.pack("<H", len(data)) + data, [target])
            assert error or len(responses) == 6 + 9, "MS-OXCROPS 2.2.12.3.2"
        store.release(target, message)


@pytest.mark.parametrize(
    "state", [b"", b"\x52\xff" * 800, b"\x06" * 4000, bytes(16) + b"\x42" * 3000, b"\x50"]
)
def test_noise_as_the_state_of_a_synchronization(store: Store, state: bytes) -> None:
    """IDSETs that push and never pop, ranges that go backwards: MS-OXCFXICS 2.2.2.6."""
    folder = store.open(store.folders[INBOX])
    configure = struct.pack("<BBBHHIH", 1, 1, 0, 0, 0, 0, 0)
    context = store.send(head(0x70) + configure, folder, NONE)
    assert context.value == SUCCESS
    at = context.handles[1]
    for tag in (0x40170003, 0x67960102, 0x67DA0102, 0x67D20102):
        store.send(head(0x75) + struct.pack("<II", tag, len(state)), at)
        store.send(head(0x76) + struct.pack("<I", len(state)) + state, at)
        store.send(head(0x77), at)
    store.send(head(0x4E) + struct.pack("<HH", 0xBABE, 0x7000), at)
    assert store.call(get_properties([0x3001001F])).value == SUCCESS


def action_block(kind: int, data: bytes, flavor: int = 0) -> bytes:
    """An ActionBlock: MS-OXORULE 2.2.5.1."""
    content = struct.pack("<BII", kind, flavor, 0) + data
    return struct.pack("<H", len(content)) + content


@pytest.mark.parametrize(
    "actions",
    [
        struct.pack("<H", 0xFFFF),
        struct.pack("<H", 1) + struct.pack("<H", 0xFFFF) + b"\x01",
        struct.pack("<H", 1) + action_block(1, b"\x01" + struct.pack("<H", 0xFFFF)),
        struct.pack("<H", 1)
        + action_block(7, struct.pack("<H", 0xFFFF) + b"\x01" + struct.pack("<H", 0xFFFF)),
        struct.pack("<H", 3000) + action_block(10, b"") * 2500,
        struct.pack("<H", 1) + action_block(99, b""),
        struct.pack("<H", 0),
    ],
)
def test_rules_that_lie(store: Store, actions: bytes) -> None:
    """RopModifyRules: MS-OXCROPS 2.2.11.1."""
    folder = store.open(store.folders[INBOX])
    condition = b"\x02" * 3000 + b"\x08" + struct.pack("<I", SUBJECT)
    for told in (condition, b"\x08" + struct.pack("<I", SUBJECT)):
        values = [tagged(0x6682001F, "rule"), tagged(0x66770003, 1), tagged(0x66760003, 10)]
        values += [struct.pack("<I", 0x667900FD) + told, struct.pack("<I", 0x668000FE) + actions]
        row = struct.pack("<BH", 1, len(values)) + b"".join(values)
        rop = head(0x41) + struct.pack("<BH", 0, 1) + row
        if len(rop) < 0x7000:
            _, responses = run(store.mapi, rop, [folder])
            assert len(responses) in (0, 6)


# What belongs to somebody else


@pytest.fixture
def secret(anna: Person) -> tuple[int, int, int]:
    """A message of Anna's: ids of her mailbox's root, of the folder and of the message."""
    with anna.mapi() as client:
        store = Store(client, anna.dn)
        fid = store.folders[INBOX]
        handle = store.open(fid)
        store.message(handle, fid, tagged(SUBJECT, SECRET), tagged(BODY, SECRET))
        table = store.send(get_contents_table(), handle, NONE).handles[1]
        assert store.send(head(0x12) + struct.pack("<BHI", 0, 1, 0x674A0014), table).value == SUCCESS
        row = store.send(head(0x15) + struct.pack("<BBH", 0, 1, 1), table)
        (mid,) = struct.unpack_from("<Q", row.fields.data, 4)
        return store.folders[0], fid, mid


def test_the_mailbox_of_somebody_else(anna: Person, ben: Person, secret: tuple[int, int, int]) -> None:
    """Ben may log on to it at most: nothing in it opens, and no name of anything shows."""
    with ben.mapi() as client:
        responses, handles = client.execute(logon(anna.dn), [NONE])
        (value,) = struct.unpack_from("<I", responses, 2)
        if value != SUCCESS:
            assert len(responses) == 6
            return
        for fid in secret[:2]:
            opened, more = client.execute(open_folder(fid), [handles[0], NONE])
            if struct.unpack_from("<I", opened, 2)[0] == SUCCESS:
                listed, _ = client.execute(get_contents_table(0, 0, 1), [more[1], NONE])
                assert struct.unpack_from("<I", listed, 2)[0] != SUCCESS
        read, _ = client.execute(open_message(secret[1], secret[2]), [handles[0], NONE])
        assert struct.unpack_from("<I", read, 2)[0] != SUCCESS


def test_ids_of_somebody_else_in_the_own_mailbox(ben: Person, secret: tuple[int, int, int]) -> None:
    """The same numbers are other things there, or nothing."""
    with ben.mapi() as client:
        store = Store(client, ben.dn)
        for fid in (*secret[:2], *store.folders):
            answer = store.call(open_message(fid, secret[2]), NONE)
            if answer.value == SUCCESS:
                assert SECRET.encode("utf-16-le") not in answer.fields.data
            found = store.call(open_folder(fid), NONE)
            if found.value == SUCCESS:
                rows = store.send(get_contents_table(), found.handles[1], NONE)
                assert rows.fields.number("I") == 0


def test_no_id_that_is_guessed_opens_anything(ben: Person, secret: tuple[int, int, int]) -> None:
    with ben.mapi() as client:
        store = Store(client, ben.dn)
        for number in range(1, 3000, 7):
            guess = 1 | struct.unpack(">Q", struct.pack(">HQ", 0, number)[2:])[0] << 16 & (1 << 64) - 1
            responses, _ = client.execute(open_message(secret[1], guess), [store.handle, NONE])
            assert SECRET.encode("utf-16-le") not in responses


@pytest.mark.parametrize(
    ("path", "first", "second"), [(EMSMDB, "Connect", "Execute"), (NSPI, "Bind", "GetProps")]
)
def test_the_session_of_somebody_else(anna: Person, ben: Person, path: str, first: str, second: str) -> None:
    """Its cookies, in Ben's hands: as if they were none; and Anna's session goes on."""
    from_anna = anna.mapi() if path == EMSMDB else anna.session(NSPI)
    with from_anna as client, ben.session(path) as thief:
        if path == NSPI:
            assert client.post("Bind", struct.pack("<IBI", 0, 0, 0)).code == 0
        thief.cookies = dict(client.cookies)
        for kind in (second, "PING", "Disconnect" if path == EMSMDB else "Unbind"):
            body = b"" if kind == "PING" else bytes(16)
            assert thief.exchange(kind, body).code == CONTEXT_NOT_FOUND
        assert client.post("PING").code == 0


@pytest.mark.parametrize("path", [EMSMDB, NSPI])
def test_a_request_that_is_played_again(anna: Person, path: str) -> None:
    """The same cookies twice: the sequence is spent. MS-OXCMAPIHTTP 3.2.5.1."""
    with anna.mapi() if path == EMSMDB else anna.session(NSPI) as client:
        if path == NSPI:
            assert client.post("Bind", struct.pack("<IBI", 0, 0, 0)).code == 0
        kind, body = (
            ("Execute", struct.pack("<IIII", 3, 0, 0x10008, 0))
            if path == EMSMDB
            else (
                "QueryColumns",
                struct.pack("<III", 0, 0, 0),
            )
        )
        spent = dict(client.cookies)
        assert client.exchange(kind, body).status == 200
        again = client.twin()
        again.cookies = spent
        assert again.exchange(kind, body).code == INVALID_SEQUENCE
        again.close()


def test_sessions_by_the_hundred(anna: Person) -> None:
    """A user's own oldest ones make room; nobody else's do."""
    with anna.mapi() as mine:
        for _ in range(3):
            flood = [anna.session() for _ in range(40)]
            for client in flood:
                assert client.connect(anna.dn).code == 0
                client.close()
        assert mine.post("PING").code == 0


def test_a_property_of_every_size(store: Store) -> None:
    """Values that do not fit into an answer come as an error in their place; they never break it."""
    message = new_message(store)
    text = "x" * 14_000
    assert store.send(set_properties([tagged(SUBJECT, text)]), message).value == SUCCESS
    for limit in (0, 1, 100, 0xFFFF):
        answer = store.send(get_properties([SUBJECT] * 3, limit=limit), message)
        assert len(answer.fields.data) < 0x8000


HUGE_BODY = 200_000_000


def test_a_body_that_is_long_and_empty(office: Office, store: Store) -> None:
    """It takes nothing on the disk, and in memory only as much as is asked for at a time."""
    message = new_message(store)
    at = stream(store, message)
    assert store.send(head(0x2F) + struct.pack("<Q", HUGE_BODY), at).value == SUCCESS
    assert store.send(head(0x5D), at).value == SUCCESS
    store.release(at)
    assert store.send(save_message(0, 1), message, store.handle).value == SUCCESS
    before = office.served.rss_anon()
    for tag in (BODY, 0x1000001E, 0x1013001F, 0x10130102, RTF_COMPRESSED, 0x10160003, 0x0E080003, 0x3FD9001F):
        run(store.mapi, get_properties([tag]), [message])
        run(store.mapi, open_stream(tag, 0), [message, NONE])
    for rop in (head(0x08) + struct.pack("<HH", 0, 1), head(0x09)):  # all of them, and their list
        run(store.mapi, rop, [message])
    assert office.served.rss_anon() - before < HUGE_BODY // 8
