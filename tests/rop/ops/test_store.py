"""The ROPs of a store as a whole (MS-OXCSTOR 3.2.5, MS-OXCROPS 2.2.3), byte for byte."""

from collections.abc import Callable

import pytest

from appliance.directory.model import Entry
from appliance.mailbox import folders as mailbox_folders
from appliance.mailbox import public, quotas, rights
from appliance.mailbox.actor import SYSTEM, Actor
from appliance.mapi import errors as ec
from appliance.mapi.ids import LongTermId, short_to_wire
from appliance.mapi.idset import IdSet
from appliance.rop import batch
from appliance.rop.ops import (
    get_store_state,
    logon,
    long_term_ids,
    per_user_information,
    receive_folders,
    replicas,
)
from appliance.store import folders, mailboxes, peruser, replids
from appliance.store.mailboxes import Special
from tests.conftest import EPOCH
from tests.rop.kit import Client
from tests.rop.ops.items import set_
from tests.rop.ops.tabling import opened
from tests.transport.office import Office

SET_FOLDER, GET_FOLDER, TABLE = receive_folders.ROPS
TO_LONG, TO_SHORT = long_term_ids.ROPS
OWNING, GHOSTED = replicas.ROPS
IDS, GUID, READ, WRITE = per_user_information.ROPS
OURS, THEIRS = bytes(range(16)), bytes(range(50, 66))
INBOX = short_to_wire(Special.INBOX)


def answer(client: Client, handle: int, request: bytes) -> bytes:
    """The response to one request on a handle, without buffer header and handle table."""
    (data,) = client.raw(batch.pack(request, [handle]))
    assert data[-4:] == handle.to_bytes(4, "little")
    assert int.from_bytes(data[:2], "little") == len(data) - 4
    return data[2:-4]


@pytest.fixture
def on_public(client: Client, office: Office) -> tuple[int, int, int]:
    """A logon to the public folders: its handle, their mailbox, the FID of a folder."""
    made = office.write(
        lambda txn: public.create_folder(
            txn, SYSTEM, ("All",), guids=(bytes(16), OURS), uidvalidity=9, now=EPOCH
        )
    )
    flags = logon.OpenFlags.PUBLIC | logon.OpenFlags.USE_PER_MDB_REPLID_MAPPING
    request = logon.Request(logon.LogonFlags(0), flags, 0, b"")
    with office.store.read() as txn:
        mailbox = public.find(txn)
    assert mailbox is not None
    return client.do(logon.ROP, request).handle, mailbox, made.fid


@pytest.mark.covers(
    "MS-OXCROPS_2.2.3.2",
    "MS-OXCROPS_2.2.3.2.1",
    "MS-OXCROPS_2.2.3.2.2",
    "MS-OXCROPS_2.2.3.2.3",
    "MS-OXCSTOR_2.2.1.2",
    "MS-OXCSTOR_2.2.1.2.1",
    "MS-OXCSTOR_2.2.1.2.2",
    "MS-OXCSTOR_3.2.5.2",
)
def test_get_receive_folder(client: Client, on_public: tuple[int, int, int]) -> None:
    handle = client.logon(logon_id=1)
    got = answer(client, handle, b"\x27\x01\x00IPM.Note.Custom\0")
    assert got == b"\x27\x00\0\0\0\0" + INBOX + b"IPM\0"
    assert answer(client, handle, b"\x27\x01\x00MY.Class\0") == b"\x27\x00\0\0\0\0" + INBOX + b"\0"
    assert answer(client, handle, b"\x27\x01\x00\0") == b"\x27\x00\0\0\0\0" + INBOX + b"\0"
    for wrong in (b".a", b"a.", b"a..b", b"\xe4", b"x" * 255):
        reply = answer(client, handle, b"\x27\x01\x00" + wrong + b"\0")
        assert reply == b"\x27\x00" + ec.ecInvalidParam.to_bytes(4, "little")
    reply = answer(client, on_public[0], b"\x27\x00\x00IPM\0")
    assert reply == b"\x27\x00" + ec.ecNotSupported.to_bytes(4, "little")


@pytest.mark.covers(
    "MS-OXCSTOR_R287",
)
@pytest.mark.covers(
    "MS-OXCROPS_2.2.3.3",
    "MS-OXCROPS_2.2.3.3.1",
    "MS-OXCROPS_2.2.3.3.2",
    "MS-OXCROPS_2.2.3.4",
    "MS-OXCROPS_2.2.3.4.1",
    "MS-OXCROPS_2.2.3.4.2",
    "MS-OXCROPS_2.2.3.4.3",
    "MS-OXCSTOR_2.2.1.3",
    "MS-OXCSTOR_2.2.1.3.1",
    "MS-OXCSTOR_2.2.1.4",
    "MS-OXCSTOR_2.2.1.4.2",
    "MS-OXCSTOR_3.2.5.3",
    "MS-OXCSTOR_3.2.5.4",
)
def test_set_receive_folder(client: Client, on_public: tuple[int, int, int]) -> None:
    handle = client.logon(logon_id=1)
    drafts = short_to_wire(Special.DRAFTS)
    before = answer(client, handle, b"\x68\x01\x00")
    count = int.from_bytes(before[6:10], "little")
    assert answer(client, handle, b"\x26\x01\x00" + drafts + b"My.Class\0") == b"\x26\x00\0\0\0\0"
    assert (
        answer(client, handle, b"\x27\x01\x00MY.CLASS.Sub\0") == b"\x27\x00\0\0\0\0" + drafts + b"My.Class\0"
    )
    table = answer(client, handle, b"\x68\x01\x00")
    assert table[:10] == b"\x68\x00\0\0\0\0" + (count + 1).to_bytes(4, "little")
    assert b"\0" + drafts + b"My.Class\0" in table
    assert table[10:].count(b"\0" + INBOX) >= 3
    assert answer(client, handle, b"\x26\x01\x00" + bytes(8) + b"my.class\0") == b"\x26\x00\0\0\0\0"
    assert answer(client, handle, b"\x68\x01\x00") == before
    for name, fid, code in (
        (b"IPM", drafts, ec.ecAccessDenied),
        (b"Report.IPM", drafts, ec.ecAccessDenied),
        (b"", bytes(8), ec.ecError),
        (b"a..b", drafts, ec.ecInvalidParam),
        (b"Any", b"\x01\x00\0\0\0\0\xff\xff", ec.ecNotFound),
    ):
        reply = answer(client, handle, b"\x26\x01\x00" + fid + name + b"\0")
        assert reply == b"\x26\x00" + code.to_bytes(4, "little")
    for request in (b"\x26\x00\x00" + drafts + b"My\0", b"\x68\x00\x00"):
        assert answer(client, on_public[0], request)[2:] == ec.ecNotSupported.to_bytes(4, "little")


@pytest.mark.covers("MS-OXCSTOR_R59787")
def test_the_receive_folders_belong_to_the_owner(
    client: Client, connect: Callable[..., Client], office: Office, anna: Entry
) -> None:
    bert = office.user("bert@example.test")
    own = Actor(user=anna.id, mailbox=anna.mailbox)
    office.write(
        lambda txn: rights.grant(txn, own, anna.mailbox, Special.INBOX, bert.id, rights.ROLES["reviewer"])
    )
    other = connect(bert)
    request = receive_folders.SetRequest(Special.DRAFTS, b"My.Class")
    assert other.ask(SET_FOLDER, request, on=other.logon(anna)).code == ec.ecAccessDenied


@pytest.mark.covers(
    "MS-OXCSTOR_R440",
    "MS-OXCSTOR_R442",
    "MS-OXCSTOR_R59718",
    "MS-OXCSTOR_R59799",
    "MS-OXCSTOR_R454",
    "MS-OXCSTOR_R59724",
    "MS-OXCSTOR_R458",
    "MS-OXCSTOR_R459",
    "MS-OXCSTOR_R94801002",
)
@pytest.mark.covers(
    "MS-OXCROPS_2.2.3.8",
    "MS-OXCROPS_2.2.3.8.1",
    "MS-OXCROPS_2.2.3.8.2",
    "MS-OXCROPS_2.2.3.8.3",
    "MS-OXCROPS_2.2.3.9",
    "MS-OXCROPS_2.2.3.9.1",
    "MS-OXCROPS_2.2.3.9.2",
    "MS-OXCROPS_2.2.3.9.3",
    "MS-OXCSTOR_2.2.1.8",
    "MS-OXCSTOR_2.2.1.9",
    "MS-OXCSTOR_3.2.5.8",
    "MS-OXCSTOR_3.2.5.9",
)
def test_long_term_ids(client: Client, office: Office, anna: Entry) -> None:
    handle = client.logon()
    with office.store.read() as txn:
        own = mailboxes.identity(txn, anna.mailbox).replica_guid
    long = own + b"\0\0\0\0\0\x01\0\0"
    assert answer(client, handle, b"\x43\x00\x00" + INBOX) == b"\x43\x00\0\0\0\0" + long
    assert answer(client, handle, b"\x44\x00\x00" + long) == b"\x44\x00\0\0\0\0" + INBOX
    for unknown in (b"\x63\x00" + bytes(5) + b"\x01", b"\0\0" + bytes(5) + b"\x01"):
        reply = answer(client, handle, b"\x43\x00\x00" + unknown)
        assert reply == b"\x43\x00" + ec.ecNotFound.to_bytes(4, "little")
    foreign = THEIRS + b"\0\0\0\0\x12\x34" + b"\xaa\xbb"  # the padding is ignored
    first = answer(client, handle, b"\x44\x00\x00" + foreign)
    assert first[:6] == b"\x44\x00\0\0\0\0"
    assert first[8:] == b"\0\0\0\0\x12\x34"
    assert first[6:8] != b"\x01\0"
    assert answer(client, handle, b"\x44\x00\x00" + foreign) == first
    back = answer(client, handle, b"\x43\x00\x00" + first[6:])
    assert back[6:] == THEIRS + b"\0\0\0\0\x12\x34\0\0"
    assert answer(client, handle, b"\x44\x00\x00" + own + bytes(8)) == b"\x44\x00\0\0\0\0\x01" + bytes(7)
    for wrong in (bytes(16) + b"\0\0\0\0\0\x01\0\0", bytes(24)):
        reply = answer(client, handle, b"\x44\x00\x00" + wrong)
        assert reply == b"\x44\x00" + ec.ecInvalidParam.to_bytes(4, "little")
    with office.store.read() as txn:
        assert replids.find(txn, anna.mailbox, THEIRS) == int.from_bytes(first[6:8], "little")


@pytest.mark.covers(
    "MS-OXCSTOR_R3125",
)
@pytest.mark.covers(
    "MS-OXCROPS_2.2.3.5",
    "MS-OXCROPS_2.2.3.5.1",
    "MS-OXCROPS_2.2.3.5.3",
    "MS-OXCSTOR_R881",
    "MS-OXCSTOR_R882",
    "MS-OXCSTOR_R884",
    "MS-OXCSTOR_R1091",
    "MS-OXCSTOR_R1092",
)
def test_the_state_of_the_store_is_not_implemented(client: Client) -> None:
    handle = client.logon()
    assert answer(client, handle, b"\x7b\x00\x00") == b"\x7b\x00" + ec.ecNotImplemented.to_bytes(4, "little")
    assert client.ask(get_store_state.ROP, on=handle).code == ec.ecNotImplemented


@pytest.mark.covers(
    "MS-OXCSTOR_R892",
    "MS-OXCSTOR_R1232",
    "MS-OXCSTOR_R916",
    "MS-OXCSTOR_R390",
    "MS-OXCSTOR_R391",
    "MS-OXCSTOR_R394",
    "MS-OXCSTOR_R395",
    "MS-OXCSTOR_R1236",
    "MS-OXCSTOR_R436",
    "MS-OXCSTOR_R437",
    "MS-OXCSTOR_R431",
    "MS-OXCSTOR_R432",
    "MS-OXCSTOR_R43401",
    "MS-OXCSTOR_R43402",
    "MS-OXCSTOR_R39701",
)
@pytest.mark.covers(
    "MS-OXCROPS_2.2.3.6",
    "MS-OXCROPS_2.2.3.6.1",
    "MS-OXCROPS_2.2.3.6.2",
    "MS-OXCROPS_2.2.3.6.3",
    "MS-OXCROPS_2.2.3.7",
    "MS-OXCROPS_2.2.3.7.1",
    "MS-OXCROPS_2.2.3.7.2",
    "MS-OXCROPS_2.2.3.7.3",
)
def test_where_public_folders_are(client: Client, on_public: tuple[int, int, int]) -> None:
    handle, _, fid = on_public
    wire = short_to_wire(fid)
    name = b"/o=Example Ltd/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)"
    owning = answer(client, handle, b"\x42\x00\x00" + wire)
    assert owning[:10] == b"\x42\x00\0\0\0\0\x01\0\x01\0"
    assert owning[10:].startswith(name)
    assert owning.endswith(b"/cn=Configuration/cn=Servers/cn=MAIL\0")
    assert answer(client, handle, b"\x45\x00\x00" + wire) == b"\x45\x00\0\0\0\0\0"
    missing = replicas.Request(1 << 48 | 0xFFFFFF)
    assert client.ask(OWNING, missing, on=handle).code == ec.ecNotFound
    assert client.ask(GHOSTED, missing, on=handle).code == ec.ecNotFound
    private = client.logon(logon_id=1)
    assert (
        client.ask(OWNING, replicas.Request(Special.INBOX), on=private, logon_id=1).code == ec.ecNotSupported
    )
    assert client.ask(GHOSTED, replicas.Request(Special.INBOX), on=private, logon_id=1).code == 0


FOLDER = THEIRS + b"\0\0\0\0\0\x77\0\0"


@pytest.mark.covers(
    "MS-OXCSTOR_R469",
    "MS-OXCSTOR_R488",
    "MS-OXCSTOR_R539",
    "MS-OXCSTOR_R540",
    "MS-OXCSTOR_R1284",
    "MS-OXCSTOR_R542",
    "MS-OXCSTOR_R543",
    "MS-OXCSTOR_R546",
)
@pytest.mark.covers(
    "MS-OXCROPS_2.2.3.10",
    "MS-OXCROPS_2.2.3.10.1",
    "MS-OXCROPS_2.2.3.10.2",
    "MS-OXCROPS_2.2.3.10.3",
    "MS-OXCROPS_2.2.3.11",
    "MS-OXCROPS_2.2.3.11.1",
    "MS-OXCROPS_2.2.3.11.2",
    "MS-OXCROPS_2.2.3.11.3",
    "MS-OXCROPS_2.2.3.12",
    "MS-OXCROPS_2.2.3.12.1",
    "MS-OXCROPS_2.2.3.12.2",
    "MS-OXCROPS_2.2.3.12.3",
    "MS-OXCROPS_2.2.3.13",
    "MS-OXCROPS_2.2.3.13.1",
    "MS-OXCROPS_2.2.3.13.2",
    "MS-OXCSTOR_2.2.1.10",
    "MS-OXCSTOR_2.2.1.10.2",
    "MS-OXCSTOR_2.2.1.11",
    "MS-OXCSTOR_2.2.1.11.2",
    "MS-OXCSTOR_3.2.5.10",
    "MS-OXCSTOR_3.2.5.11",
    "MS-OXCSTOR_3.2.5.12",
    "MS-OXCSTOR_3.2.5.12.2",
    "MS-OXCSTOR_3.2.5.13",
    "MS-OXCSTOR_3.2.5.13.1",
    "MS-OXCSTOR_3.2.5.13.2",
    "MS-OXCSTOR_R516",
    "MS-OXCSTOR_R569",
)
def test_a_client_keeps_what_was_read(client: Client, on_public: tuple[int, int, int]) -> None:
    handle = client.logon(logon_id=1)
    sets = {OURS: list(range(1, 4000, 2)), THEIRS: [7, 8, 9]}
    made = IdSet()
    for guid, counters in sets.items():
        for counter in counters:
            made.add(guid, counter)
    data = made.pack()
    pieces = [data[at : at + 300] for at in range(0, len(data), 300)]
    at = 0
    for piece in pieces:
        last = at + len(piece) == len(data)
        request = b"\x64\x01\x00" + FOLDER + bytes([last]) + at.to_bytes(4, "little")
        request += len(piece).to_bytes(2, "little") + piece + (OURS if at == 0 else b"")
        assert answer(client, handle, request) == b"\x64\x00\0\0\0\0"
        at += len(piece)
    got, finished = b"", False
    while not finished:
        request = b"\x63\x01\x00" + FOLDER + b"\x00" + len(got).to_bytes(4, "little") + b"\xc8\x00"
        reply = answer(client, handle, request)
        size = int.from_bytes(reply[7:9], "little")
        assert size == min(200, len(data) - len(got))
        assert len(reply) == 9 + size
        got, finished = got + reply[9:], bool(reply[6])
    assert got == data
    assert answer(client, handle, b"\x60\x01\x00" + OURS) == b"\x60\x00\0\0\0\0\x01\0" + FOLDER
    assert answer(client, handle, b"\x60\x01\x00" + THEIRS) == b"\x60\x00\0\0\0\0\0\0"
    assert answer(client, handle, b"\x61\x01\x00" + FOLDER) == b"\x61\x00\0\0\0\0" + OURS
    other = OURS + FOLDER[16:]
    assert answer(client, handle, b"\x61\x01\x00" + other)[2:] == ec.ecNotFound.to_bytes(4, "little")
    nothing = answer(client, handle, b"\x63\x01\x00" + other + b"\x00" + bytes(4) + b"\0\0")
    assert nothing == b"\x63\x00\0\0\0\0\x01\0\0"
    for request in (b"\x60\x00\x00" + OURS, b"\x61\x00\x00" + FOLDER):
        assert answer(client, on_public[0], request)[2:] == ec.ecNotSupported.to_bytes(4, "little")


def wrote(
    client: Client, handle: int, offset: int, data: bytes, *, last: bool, folder: bytes = FOLDER
) -> int:
    guid = OURS if offset == 0 else None
    request = per_user_information.WriteRequest(LongTermId.from_gid(folder), last, offset, data, guid)
    return client.ask(WRITE, request, on=handle).code


@pytest.mark.covers(
    "MS-OXCSTOR_R1042",
    "MS-OXCSTOR_R1021006",
)
@pytest.mark.covers("MS-OXCSTOR_3.2.5.12.1", "MS-OXCSTOR_R1259", "MS-OXCSTOR_R1260")
def test_pieces_that_do_not_follow_each_other(client: Client) -> None:
    handle = client.logon()
    data = IdSet.of_ids([]).pack() or IdSet({OURS: IdSet().get(OURS)}).pack()
    assert wrote(client, handle, 5, b"x", last=False) == ec.ecError
    assert wrote(client, handle, 0, b"abc", last=False) == 0
    assert wrote(client, handle, 2, b"x", last=False) == ec.ecError
    assert wrote(client, handle, 3, b"x", last=False) == ec.ecError
    assert wrote(client, handle, 0, b"abc", last=False) == 0
    assert wrote(client, handle, 3, b"x", last=True, folder=OURS + FOLDER[16:]) == ec.ecError
    assert wrote(client, handle, 0, b"nonsense", last=True) == ec.ecCorruptData
    made = IdSet()
    made.add(OURS, 5)
    data = made.pack()
    assert wrote(client, handle, 0, data, last=True) == 0
    for offset in (-1, len(data) + 1):
        request = per_user_information.ReadRequest(LongTermId.from_gid(FOLDER), 0, offset, 0)
        assert client.ask(READ, request, on=handle).code == ec.ecError
    whole = client.do(READ, per_user_information.ReadRequest(LongTermId.from_gid(FOLDER), 0, 0, 0), on=handle)
    assert (whole.body.has_finished, whole.body.data) == (True, data)
    end = per_user_information.ReadRequest(LongTermId.from_gid(FOLDER), 0, len(data), 0)
    assert client.do(READ, end, on=handle).body.data == b""


@pytest.mark.covers(
    "MS-OXCSTOR_R560",
    "MS-OXCSTOR_R545",
    "MS-OXCSTOR_R59729",
)
@pytest.mark.covers(
    "MS-OXCSTOR_3.2.5.12.3",
    "MS-OXCSTOR_3.2.5.13.3",
    "MS-OXCSTOR_R517",
    "MS-OXCSTOR_R570",
    "MS-OXCSTOR_2.2.1.12",
)
def test_the_read_state_of_a_public_folder(
    client: Client, office: Office, anna: Entry, on_public: tuple[int, int, int]
) -> None:
    handle, mailbox, fid = on_public
    folder = OURS + fid.to_bytes(8, "big")[2:] + b"\0\0"
    made = IdSet()
    made.add(OURS, 0x123)
    made.add(THEIRS, 9)
    data = made.pack()
    request = b"\x64\x00\x00" + folder + b"\x01" + bytes(4) + len(data).to_bytes(2, "little") + data
    assert answer(client, handle, request) == b"\x64\x00\0\0\0\0"
    with office.store.read() as txn:
        known = peruser.read_set(txn, mailbox, fid, anna.id)
        theirs = replids.find(txn, mailbox, THEIRS)
    assert known.contains(1, 0x123)
    assert theirs is not None
    assert known.contains(theirs, 9)
    reply = answer(client, handle, b"\x63\x00\x00" + folder + b"\x00" + bytes(4) + b"\0\0")
    assert IdSet.parse(reply[9:], by_guid=True) == made
    gone = OURS + b"\0\0\0\xff\xff\xff\0\0"
    assert answer(client, handle, b"\x63\x00\x00" + gone + b"\x00" + bytes(4) + b"\0\0")[6:] == b"\x01\0\0"
    request = b"\x64\x00\x00" + gone + b"\x01" + bytes(4) + len(data).to_bytes(2, "little") + data
    assert answer(client, handle, request)[2:] == ec.ecNotFound.to_bytes(4, "little")


@pytest.mark.covers("MS-OXCSTOR_R527", "MS-OXCSTOR_R997", "MS-OXCSTOR_R999", "MS-OXCSTOR_R1356")
def test_a_portion_is_no_larger_than_4096_bytes(client: Client) -> None:
    handle = client.logon()
    made = IdSet()
    for counter in range(1, 30_000, 2):
        made.add(OURS, counter)
    data = made.pack()
    assert len(data) > 4096
    for at in range(0, len(data), 4096):
        piece = data[at : at + 4096]
        assert wrote(client, handle, at, piece, last=at + len(piece) == len(data)) == 0
    for wanted, got in ((0, 4096), (100, 100), (4096, 4096), (4097, 4096), (0xFFFF, 4096)):
        for reserved in (0, 1, 0xFF):
            request = b"\x63\x00\x00" + FOLDER + bytes([reserved]) + bytes(4) + wanted.to_bytes(2, "little")
            reply = answer(client, handle, request)
            assert reply == b"\x63\x00\0\0\0\0\0" + got.to_bytes(2, "little") + data[:got]


def test_a_receive_folder_that_goes_is_forgotten(client: Client, office: Office, anna: Entry) -> None:
    handle = client.logon()
    own = Actor(user=anna.id, mailbox=anna.mailbox)
    made = office.write(lambda txn: mailbox_folders.create(txn, own, anna.mailbox, ("X",), now=EPOCH))
    client.do(SET_FOLDER, receive_folders.SetRequest(made.fid, b"My.Class"), on=handle)
    assert office.write(lambda txn: mailbox_folders.delete(txn, own, anna.mailbox, made.fid, now=EPOCH))
    got = client.do(GET_FOLDER, receive_folders.GetRequest(b"My.Class"), on=handle).body
    assert got.folder_id == Special.INBOX
    with office.store.read() as txn:
        assert folders.find(txn, anna.mailbox, made.fid) is None
    assert client.do(TABLE, on=handle).body.row_count >= 4


def test_limits_of_folders_are_not_the_clients_to_set(client: Client) -> None:
    folder = opened(client, client.logon())
    for tag in quotas.ADMINISTRATIVE:
        (problem,) = set_(client, folder, {tag: 5}).problems
        assert problem.code == ec.ecComputed
