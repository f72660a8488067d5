"""MS-OXCSTOR 3.2.5.2 to 3.2.5.9: receive folders, the state of a store, replicas, long-term ids."""

import struct
from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.conformance.client import Mapi
from tests.conformance.office import Person
from tests.conformance.store_rops import (
    DEFERRED,
    EC_ACCESS_DENIED,
    EC_ERROR,
    EC_INVALID_PARAM,
    EC_NOT_FOUND,
    EC_NOT_IMPLEMENTED,
    EC_NOT_SUPPORTED,
    INBOX,
    MID,
    NONE,
    OUTBOX,
    ROOT,
    SUCCESS,
    Answer,
    Store,
    get_contents_table,
    get_owning_servers,
    get_receive_folder,
    get_receive_folder_table,
    get_store_state,
    id_from_long_term_id,
    long_term_id_from_id,
    private,
    public,
    public_folder_is_ghosted,
    set_receive_folder,
)
from tests.conformance.values import read_row

FID_COLUMN, CLASS_COLUMN, TIME_COLUMN = 0x67480014, 0x001A001E, 0x30080040

GOOD_CLASSES = (b"IPM", b"IPM.Note", b"a", b" ", b"~", b"a.b.c", b"x" * 254, b"IPM.Note.My Class-1")
BAD_CLASSES = (b".IPM", b"IPM.", b"IPM..Note", b".", b"IPM\x1f", b"IPM\x7f", b"IPM\xe9", b"x" * 255)


def receive_folder(store: Store, message_class: bytes) -> tuple[int, str]:
    """Where messages of a class are delivered, and the class that says so."""
    answer = store.call(get_receive_folder(message_class))
    assert (answer.rop, answer.index, answer.value) == (0x27, 0, SUCCESS)
    fid, explicit = answer.fields.number("Q"), answer.fields.ascii()
    answer.end()
    return fid, explicit


def receive_folders(store: Store) -> dict[str, tuple[int, int]]:
    """The receive folder table: class to folder and time."""
    answer = store.call(get_receive_folder_table())
    assert (answer.rop, answer.index, answer.value) == (0x68, 0, SUCCESS)
    rows = [
        read_row(answer.fields, [FID_COLUMN, CLASS_COLUMN, TIME_COLUMN])
        for _ in range(answer.fields.number("I"))
    ]
    answer.end()
    return {str(name): (int(str(fid)), int(str(time))) for fid, name, time in rows}


def changed(store: Store, fid: int, message_class: bytes) -> int:
    """The outcome of RopSetReceiveFolder, which has no body."""
    answer = store.call(set_receive_folder(fid, message_class))
    assert (answer.rop, answer.index) == (0x26, 0)
    answer.end()
    return answer.value


# --- receive folders ----------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCSTOR_R782", "MS-OXCSTOR_R59786", "MS-OXCSTOR_R282", "MS-OXCSTOR_R876", "MS-OXCSTOR_R294",
    "MS-OXCSTOR_R299", "MS-OXCSTOR_R301", "MS-OXCSTOR_R303", "MS-OXCSTOR_R305", "MS-OXCSTOR_R314",
    "MS-OXCSTOR_R307", "MS-OXCSTOR_R879", "MS-OXCSTOR_R321",
)  # fmt: skip
def test_the_receive_folders_of_a_new_mailbox(store: Store) -> None:
    table = {name.upper(): fid for name, (fid, _) in receive_folders(store).items()}
    inbox = store.folders[INBOX]
    expected = {"": inbox, "IPM": inbox, "REPORT.IPM": inbox, "IPC": store.folders[ROOT]}
    assert expected.items() <= table.items()
    assert all(time > 0 for _, time in receive_folders(store).values())


@pytest.mark.covers(
    "MS-OXCSTOR_R195", "MS-OXCSTOR_R196", "MS-OXCSTOR_R197", "MS-OXCSTOR_R847", "MS-OXCSTOR_R851",
    "MS-OXCSTOR_R1224", "MS-OXCSTOR_R201", "MS-OXCSTOR_R208", "MS-OXCSTOR_R210", "MS-OXCSTOR_R3118",
)  # fmt: skip
@pytest.mark.parametrize(
    ("asked", "position", "explicit"),
    [
        (b"IPM.Note", INBOX, "IPM"),
        (b"ipm.note.thing", INBOX, "IPM"),
        (b"IPM", INBOX, "IPM"),
        (b"Report.IPM.Note.NDR", INBOX, "REPORT.IPM"),
        (b"IPC", ROOT, "IPC"),
        (b"MY.Class", INBOX, ""),
        (b"", INBOX, ""),
    ],
)
def test_the_longest_prefix_decides(store: Store, asked: bytes, position: int, explicit: str) -> None:
    fid, name = receive_folder(store, asked)
    assert (fid, name.upper()) == (store.folders[position], explicit)


@pytest.mark.covers(
    "MS-OXCSTOR_R202", "MS-OXCSTOR_R203", "MS-OXCSTOR_R204", "MS-OXCSTOR_R205", "MS-OXCSTOR_R206",
    "MS-OXCSTOR_R207", "MS-OXCSTOR_R59784", "MS-OXCSTOR_R59785", "MS-OXCSTOR_R235", "MS-OXCSTOR_R845",
    "MS-OXCSTOR_R858", "MS-OXCSTOR_R274",
)  # fmt: skip
@pytest.mark.parametrize("message_class", BAD_CLASSES)
def test_message_classes_that_are_none(store: Store, message_class: bytes) -> None:
    assert store.call(get_receive_folder(message_class)).end().value == EC_INVALID_PARAM
    assert changed(store, store.folders[OUTBOX], message_class) == EC_INVALID_PARAM


@pytest.mark.covers("MS-OXCSTOR_R203", "MS-OXCSTOR_R213", "MS-OXCSTOR_R309")
@pytest.mark.parametrize("message_class", GOOD_CLASSES)
def test_message_classes_that_are_right(store: Store, message_class: bytes) -> None:
    assert receive_folder(store, message_class)[0] == store.folders[INBOX]


@pytest.mark.covers(
    "MS-OXCSTOR_R241", "MS-OXCSTOR_R243", "MS-OXCSTOR_R250", "MS-OXCSTOR_R59754", "MS-OXCSTOR_R868",
    "MS-OXCSTOR_R870", "MS-OXCSTOR_R872", "MS-OXCSTOR_R1030", "MS-OXCSTOR_R873", "MS-OXCSTOR_R59757",
)  # fmt: skip
def test_a_new_receive_folder(store: Store) -> None:
    before = receive_folders(store)
    assert changed(store, store.folders[OUTBOX], b"MY.Class") == SUCCESS
    assert receive_folder(store, b"my.class.below")[0] == store.folders[OUTBOX]
    assert receive_folder(store, b"MY.CLASS")[1].upper() == "MY.CLASS"
    assert receive_folder(store, b"MY")[0] == store.folders[INBOX]
    rows = {name.upper(): row for name, row in receive_folders(store).items()}
    assert set(rows) == {name.upper() for name in before} | {"MY.CLASS"}
    fid, time = rows["MY.CLASS"]
    assert fid == store.folders[OUTBOX]
    assert time >= max(time for _, time in before.values())


@pytest.mark.covers("MS-OXCSTOR_R247", "MS-OXCSTOR_R862", "MS-OXCSTOR_R1235", "MS-OXCSTOR_R867")
def test_changing_a_receive_folder(store: Store) -> None:
    for position in (OUTBOX, DEFERRED):
        assert changed(store, store.folders[position], b"MY.Class") == SUCCESS
    assert changed(store, store.folders[OUTBOX], b"my.CLASS") == SUCCESS
    assert receive_folder(store, b"My.Class")[0] == store.folders[OUTBOX]
    assert sum(name.upper() == "MY.CLASS" for name in receive_folders(store)) == 1


@pytest.mark.covers("MS-OXCSTOR_R864")
def test_deleting_a_receive_folder(store: Store) -> None:
    assert changed(store, store.folders[OUTBOX], b"MY.Class") == SUCCESS
    assert changed(store, 0, b"my.class") == SUCCESS
    assert receive_folder(store, b"MY.Class") == (store.folders[INBOX], "")
    assert "MY.CLASS" not in {name.upper() for name in receive_folders(store)}


@pytest.mark.covers("MS-OXCSTOR_R859", "MS-OXCSTOR_R271", "MS-OXCSTOR_R272")
@pytest.mark.parametrize("message_class", [b"IPM", b"ipm", b"Report.IPM", b"REPORT.ipm"])
@pytest.mark.parametrize("delete", [False, True])
def test_the_receive_folder_of_mail_stands(store: Store, message_class: bytes, delete: bool) -> None:
    fid = 0 if delete else store.folders[OUTBOX]
    assert changed(store, fid, message_class) == EC_ACCESS_DENIED
    assert receive_folder(store, b"IPM.Note")[0] == store.folders[INBOX]


@pytest.mark.covers("MS-OXCSTOR_R860", "MS-OXCSTOR_R275", "MS-OXCSTOR_R277")
def test_the_last_resort_cannot_be_deleted(store: Store) -> None:
    assert changed(store, 0, b"") == EC_ERROR
    assert changed(store, store.folders[OUTBOX], b"") == SUCCESS
    assert receive_folder(store, b"Else")[0] == store.folders[OUTBOX]


@pytest.mark.covers("MS-OXCSTOR_R209", "MS-OXCSTOR_R304", "MS-OXCSTOR_R871")
def test_a_receive_folder_lies_in_the_mailbox(store: Store) -> None:
    assert changed(store, store.replid | 0x4242 << 32, b"MY.Class") != SUCCESS


@pytest.mark.covers(
    "MS-OXCSTOR_R59783", "MS-OXCSTOR_R239", "MS-OXCSTOR_R856", "MS-OXCSTOR_R280", "MS-OXCSTOR_R875",
    "MS-OXCSTOR_R325", "MS-OXCSTOR_R198", "MS-OXCSTOR_R249", "MS-OXCSTOR_R287",
)  # fmt: skip
def test_public_folders_receive_nothing(mapi: Mapi) -> None:
    store = public(mapi)
    requests = (
        get_receive_folder(b"IPM"),
        get_receive_folder(b".bad."),
        set_receive_folder(store.folders[0], b"MY"),
        get_receive_folder_table(),
    )
    assert [store.call(request).end().value for request in requests] == [EC_NOT_SUPPORTED] * 4


@pytest.mark.covers("MS-OXCSTOR_R850", "MS-OXCSTOR_R863")
def test_each_mailbox_has_its_own_receive_folders(store: Store, ben: Person) -> None:
    assert changed(store, store.folders[OUTBOX], b"MY.Class") == SUCCESS
    with ben.mapi() as client:
        theirs = private(client, ben)
        assert receive_folder(theirs, b"MY.Class") == (theirs.folders[INBOX], "")


# --- the state of a store, replicas -------------------------------------------------------------------------


@pytest.mark.covers("MS-OXCSTOR_R881", "MS-OXCSTOR_R882", "MS-OXCSTOR_R884", "MS-OXCSTOR_R3125")
def test_the_state_of_a_store_is_not_told(store: Store) -> None:
    assert store.call(get_store_state()).end().value == EC_NOT_IMPLEMENTED


@pytest.mark.covers(
    "MS-OXCSTOR_R343", "MS-OXCSTOR_R351", "MS-OXCSTOR_R352", "MS-OXCSTOR_R367", "MS-OXCSTOR_R368",
    "MS-OXCSTOR_R369", "MS-OXCSTOR_R371", "MS-OXCSTOR_R391", "MS-OXCSTOR_R914", "MS-OXCSTOR_R916",
)  # fmt: skip
def test_one_server_owns_the_public_folders(mapi: Mapi) -> None:
    store = public(mapi)
    answer = store.call(get_owning_servers(store.folders[1]))
    assert (answer.rop, answer.index, answer.value) == (0x42, 0, SUCCESS)
    count, cheap = answer.fields.numbers("HH")
    names = [answer.fields.ascii() for _ in range(count)]
    answer.end()
    assert (count, cheap) == (1, 1)
    assert names[0].lower().startswith("/o="), "an ESSDN"


@pytest.mark.covers("MS-OXCSTOR_R1232", "MS-OXCSTOR_R395", "MS-OXCSTOR_R1236", "MS-OXCSTOR_R437")
@pytest.mark.parametrize("request_", [get_owning_servers, public_folder_is_ghosted])
@pytest.mark.parametrize("fid", [0, 0x4242 << 32 | 1])
def test_a_public_folder_that_is_not_there(mapi: Mapi, request_: Callable[[int], bytes], fid: int) -> None:
    assert public(mapi).call(request_(fid)).end().value == EC_NOT_FOUND


@pytest.mark.covers(
    "MS-OXCSTOR_R396", "MS-OXCSTOR_R405", "MS-OXCSTOR_R930", "MS-OXCSTOR_R1239", "MS-OXCSTOR_R1098",
    "MS-OXCSTOR_R1100", "MS-OXCSTOR_R1101", "MS-OXCSTOR_R59712", "MS-OXCSTOR_R432",
)  # fmt: skip
@pytest.mark.parametrize("position", [0, 1, 2])
def test_no_public_folder_is_a_ghost(mapi: Mapi, position: int) -> None:
    store = public(mapi)
    answer = store.call(public_folder_is_ghosted(store.folders[position]))
    assert (answer.rop, answer.index, answer.value, answer.fields.rest) == (0x45, 0, SUCCESS, b"\0")


@pytest.mark.covers("MS-OXCSTOR_R917", "MS-OXCSTOR_R1237")
def test_no_folder_of_a_mailbox_is_a_ghost(store: Store) -> None:
    answer = store.call(public_folder_is_ghosted(store.folders[INBOX]))
    assert (answer.value, answer.fields.rest) == (SUCCESS, b"\0")


# --- long-term ids ------------------------------------------------------------------------------------------


def long_term(store: Store, number: int) -> bytes:
    """The LongTermID of an id."""
    answer = store.call(long_term_id_from_id(number))
    assert (answer.rop, answer.index, answer.value) == (0x43, 0, SUCCESS)
    data = answer.fields.take(24)
    answer.end()
    return data


def short(store: Store, data: bytes) -> int:
    """The id of a LongTermID."""
    answer = store.call(id_from_long_term_id(data))
    assert (answer.rop, answer.index, answer.value) == (0x44, 0, SUCCESS)
    number = answer.fields.number("Q")
    answer.end()
    return number


@pytest.mark.covers(
    "MS-OXCSTOR_R69742", "MS-OXCSTOR_R442", "MS-OXCSTOR_R59718", "MS-OXCSTOR_R944", "MS-OXCSTOR_R1243",
    "MS-OXCSTOR_R1244", "MS-OXCSTOR_R450", "MS-OXCSTOR_R2188", "MS-OXCSTOR_R2189", "MS-OXCSTOR_R59721",
    "MS-OXCSTOR_R458", "MS-OXCSTOR_R459", "MS-OXCSTOR_R1253", "MS-OXCSTOR_R467", "MS-OXCSTOR_R1252",
)  # fmt: skip
@pytest.mark.parametrize("position", range(13))
def test_folders_have_long_term_ids(store: Store, position: int) -> None:
    fid = store.folders[position]
    data = long_term(store, fid)
    assert data == store.replguid + struct.pack("<Q", fid)[2:] + b"\0\0"
    assert short(store, data) == fid


@pytest.mark.covers("MS-OXCSTOR_R59799", "MS-OXCSTOR_R59724")
def test_messages_have_long_term_ids(store: Store) -> None:
    inbox = store.open(store.folders[INBOX])
    mid = store.message(inbox, store.folders[INBOX])
    assert store.table(get_contents_table(), inbox, MID) == [[mid]]
    assert short(store, long_term(store, mid)) == mid


@pytest.mark.covers("MS-OXCSTOR_R945", "MS-OXCSTOR_R1245")
def test_nobody_asks_whether_an_id_is_in_use(store: Store) -> None:
    fid = store.replid | 0xFEDCBA987654 << 16
    assert short(store, long_term(store, fid)) == fid


@pytest.mark.covers("MS-OXCSTOR_R946", "MS-OXCSTOR_R440", "MS-OXCSTOR_R451", "MS-OXCSTOR_R452")
@pytest.mark.parametrize("replid", [0x7F00, 0xFFFF])
def test_a_replica_that_nobody_registered(store: Store, replid: int) -> None:
    assert store.call(long_term_id_from_id(replid | 1 << 32)).end().value == EC_NOT_FOUND


@pytest.mark.covers("MS-OXCSTOR_R953")
def test_padding_is_ignored(store: Store) -> None:
    fid = store.folders[INBOX]
    assert short(store, long_term(store, fid)[:22] + b"\xab\xcd") == fid


@pytest.mark.covers(
    "MS-OXCSTOR_R949", "MS-OXCSTOR_R950", "MS-OXCSTOR_R1246", "MS-OXCSTOR_R951", "MS-OXCSTOR_R952",
    "MS-OXCSTOR_R1251", "MS-OXCSTOR_R947", "MS-OXCSTOR_R1242", "MS-OXCSTOR_R3114",
)  # fmt: skip
def test_a_new_replica_gets_an_id_for_good(store: Store, anna: Person) -> None:
    guids = [bytes([number]) * 16 for number in range(1, 6)]
    made = [short(store, guid + bytes(range(6)) + b"\0\0") for guid in guids]
    replids = [number & 0xFFFF for number in made]
    assert len({0, store.replid, *replids}) == 7
    assert all(a != b for a, b in pairwise(replids))
    assert all(number >> 16 == int.from_bytes(bytes(range(6)), "little") for number in made)
    with anna.mapi() as client:
        again = private(client, anna)
        for guid, number in zip(guids, made, strict=True):
            assert short(again, guid + bytes(range(6)) + b"\0\0") == number
            assert long_term(again, number) == guid + bytes(range(6)) + b"\0\0"


@pytest.mark.covers("MS-OXCSTOR_R94801", "MS-OXCSTOR_R1120", "MS-OXCSTOR_R1121")
def test_the_replica_of_zeros(store: Store) -> None:
    assert store.call(id_from_long_term_id(bytes(16) + b"\1" * 6 + b"\0\0")).end().value == EC_INVALID_PARAM


@pytest.mark.covers("MS-OXCSTOR_R948")
def test_a_counter_of_zeros_answers_zero(store: Store) -> None:
    """The text has this operation fail with 0 in ReturnValue, which is a success."""
    answer: Answer = store.call(id_from_long_term_id(store.replguid + bytes(8)))
    assert answer.value == SUCCESS
    assert answer.fields.number("Q") & ~0xFFFF == 0
    answer.end()


def test_public_ids(mapi: Mapi) -> None:
    store = public(mapi)
    for fid in store.folders[:4]:
        assert short(store, long_term(store, fid)) == fid


def test_ids_need_a_logon(store: Store) -> None:
    inbox = store.open(store.folders[INBOX])
    for request in (long_term_id_from_id(1), id_from_long_term_id(bytes(24)), get_receive_folder(b"IPM")):
        assert store.send(request, inbox).end().value == EC_NOT_SUPPORTED
        assert store.send(request, NONE).end().value == 0x000004B9
