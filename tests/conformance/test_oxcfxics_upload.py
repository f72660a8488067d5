"""MS-OXCFXICS: uploads of FastTransfer streams into messages, attachments and folders."""

import struct
from collections.abc import Iterable, Iterator

import pytest

from tests.conformance import fxdesk, fxgrammar, fxrops
from tests.conformance import fxstream as fx
from tests.conformance.fxdesk import BODY, CLASS, DISPLAY, INVALID_PARAMETER, NONE, OK, SUBJECT, Desk
from tests.conformance.fxstream import Name, marker, prop
from tests.conformance.office import Person
from tests.conformance.wire import Value

COPY_TO, COPY_PROPERTIES, COPY_MESSAGES, COPY_FOLDER = 1, 2, 3, 4
RECIPIENTS, ATTACHMENTS = 0x0E12000D, 0x0E13000D
ROW_ID, RECIPIENT_TYPE, NAME, ADDRESS, KIND = 0x30000003, 0x0C150003, 0x3001001F, 0x3003001F, 0x3002001F
ATTACH_NUMBER, METHOD, FILE, DATA = 0x0E210003, 0x37050003, 0x3707001F, 0x37010102
COMMENT, SOURCE_KEY, MID, FID, SEARCH_KEY = 0x3004001F, 0x65E00102, 0x674A0014, 0x67480014, 0x300B0102
COMMON = bytes.fromhex("0820060000000000c000000000000046")
STRINGS = bytes.fromhex("2903020000000000c000000000000046")


@pytest.fixture
def desk(anna: Person) -> Iterator[Desk]:
    """Anna at her desk."""
    made = fxdesk.desk(anna)
    yield made
    made.mapi.close()


@pytest.fixture
def place(desk: Desk) -> tuple[bytes, int]:
    """A folder of hers: its id and handle."""
    return desk.create_folder(desk.open_folder(desk.folders["ipm"]), "Place")


def props(values: dict[int, Value]) -> bytes:
    """A propList."""
    return b"".join(prop(tag, value) for tag, value in values.items())


def recipient(number: int, name: str, address: str) -> bytes:
    """A recipient element."""
    values: dict[int, Value] = {ROW_ID: number, RECIPIENT_TYPE: 1, NAME: name, KIND: "SMTP", ADDRESS: address}
    return marker(fx.START_RECIP) + props(values) + marker(fx.END_RECIP)


def attachment(number: int, name: str, content: bytes) -> bytes:
    """An attachment element with bytes or, where `content` is an element, a message within."""
    head = marker(fx.NEW_ATTACH) + prop(ATTACH_NUMBER, number)
    if content.startswith(marker(fx.START_EMBED)):
        return head + props({METHOD: 5, FILE: name}) + content + marker(fx.END_ATTACH)
    return head + props({METHOD: 1, FILE: name, DATA: content}) + marker(fx.END_ATTACH)


def content(subject: str, **more: bytes) -> bytes:
    """messageContent."""
    return props({CLASS: "IPM.Note", SUBJECT: subject, BODY: f"of {subject}"}) + b"".join(more.values())


def message(subject: str, inside: bytes = b"", start: int = fx.START_MESSAGE) -> bytes:
    """A message element of a list."""
    return marker(start) + content(subject, inside=inside) + marker(fx.END_MESSAGE)


def configured(desk: Desk, operation: int, handle: int, flags: int = 0) -> int:
    """An upload context."""
    return desk.must(fxrops.destination(operation, flags), [handle, NONE]).out


def subjects(desk: Desk, folder: int, table: int = 0x10) -> list[object]:
    """The subjects of a folder's messages."""
    return sorted((row[SUBJECT] for row in desk.in_folder(folder, [SUBJECT], table)), key=str)


def recipients_of(desk: Desk, handle: int) -> list[tuple[object, object]]:
    """Names and addresses, as a download has them."""
    found = fxgrammar.message_content(fxrops.source(desk, fxrops.copy_to(), handle))
    return [(each.get(NAME), each.get(ADDRESS)) for each in found.recipients]


FULL = content(
    "whole",
    recipients=prop(fx.FX_DEL_PROP, RECIPIENTS)
    + recipient(0, "One", "one@far.test")
    + recipient(1, "Two", "two@far.test"),
    attachments=prop(fx.FX_DEL_PROP, ATTACHMENTS)
    + attachment(0, "file.bin", b"\x00\x01\x02")
    + attachment(
        1,
        "inner.msg",
        marker(fx.START_EMBED)
        + content("inner", inside=recipient(0, "Three", "three@far.test"))
        + marker(fx.END_EMBED),
    ),
)


@pytest.mark.covers("MS-OXCFXICS_R581", "MS-OXCFXICS_R588", "MS-OXCFXICS_R589", "MS-OXCFXICS_R590")
@pytest.mark.covers("MS-OXCFXICS_R591", "MS-OXCFXICS_R596", "MS-OXCFXICS_R599", "MS-OXCFXICS_R2151")
@pytest.mark.covers("MS-OXCFXICS_R614", "MS-OXCFXICS_R3171", "MS-OXCFXICS_R624", "MS-OXCFXICS_R2156")
@pytest.mark.covers("MS-OXCFXICS_R2150", "MS-OXCFXICS_R2155", "MS-OXCFXICS_R2156001", "MS-OXCFXICS_R2156002")
@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("operation", [COPY_TO, COPY_PROPERTIES])
@pytest.mark.parametrize("part", [1, 7, 4000])
def test_a_message_with_everything(
    desk: Desk, place: tuple[bytes, int], operation: int, part: int, extended: bool
) -> None:
    fid, _ = place
    made = desk.create_message(fid)
    context = configured(desk, operation, made)
    for at in range(0, len(FULL), part):
        answer = fxrops.put(desk, context, FULL[at : at + part], extended)
        assert answer.code == OK
    desk.release(context)
    mid = desk.save(made)
    handle = desk.open_message(fid, mid)
    found = fxgrammar.message_content(fxrops.source(desk, fxrops.copy_to(), handle))
    assert (found.props.get(SUBJECT), found.props.get(BODY)) == ("whole", "of whole")
    assert [each.get(ADDRESS) for each in found.recipients] == ["one@far.test", "two@far.test"]
    plain, inner = found.attachments
    assert (plain.props.get(FILE), plain.props.get(DATA)) == ("file.bin", b"\x00\x01\x02")
    assert inner.embedded is not None
    assert inner.embedded.props.get(SUBJECT) == "inner"
    assert [each.get(NAME) for each in inner.embedded.recipients] == ["Three"]


@pytest.mark.covers("MS-OXCFXICS_R3172", "MS-OXCFXICS_R3173", "MS-OXCFXICS_R3175", "MS-OXCFXICS_R31701")
@pytest.mark.covers("MS-OXCFXICS_R3176", "MS-OXCFXICS_R3178001", "MS-OXCFXICS_R3179", "MS-OXCFXICS_R3181")
@pytest.mark.covers("MS-OXCFXICS_R3182", "MS-OXCFXICS_R3182001", "MS-OXCFXICS_R318200101")
@pytest.mark.covers("MS-OXCFXICS_R3183015", "MS-OXCFXICS_R3183017", "MS-OXCFXICS_R3183019")
@pytest.mark.covers("MS-OXCFXICS_R3183021", "MS-OXCFXICS_R318302101", "MS-OXCFXICS_R3183023")
@pytest.mark.covers("MS-OXCFXICS_R318302601", "MS-OXCFXICS_R3183027", "MS-OXCFXICS_R3183029")
@pytest.mark.covers("MS-OXCFXICS_R3183030", "MS-OXCFXICS_R3183030001", "MS-OXCFXICS_R318303003")
@pytest.mark.parametrize("extended", [False, True])
def test_the_answer_to_a_buffer(desk: Desk, place: tuple[bytes, int], extended: bool) -> None:
    made = desk.create_message(place[0])
    context = configured(desk, COPY_TO, made)
    data = content("answered")
    answer = fxrops.put(desk, context, data, extended)
    assert answer.code == OK
    put = answer.value
    assert isinstance(put, fxrops.Put)
    assert (put.done, put.steps, put.used) == (0, 1, len(data))
    bad = fxrops.put(desk, context, struct.pack("<II", 0x0037000A, 0), extended)
    assert bad.code != OK
    assert isinstance(bad.value, fxrops.Put)
    assert (bad.value.status, bad.value.done, bad.value.used) == (0, 0, 8)
    again = fxrops.put(desk, context, data, extended)
    assert again.code == bad.code, "a stream that broke stays broken"


def test_nothing_is_kept_of_a_message_that_is_not_saved(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, folder = place
    mid = desk.message(fid, {CLASS: "IPM.Note", SUBJECT: "before"})
    handle = desk.open_message(fid, mid)
    fxrops.upload(desk, COPY_TO, handle, content("after"))
    assert desk.get(handle, SUBJECT)[SUBJECT] == "after"
    assert desk.look(fid, mid, SUBJECT)[SUBJECT] == "before"
    desk.save(handle)
    assert subjects(desk, folder) == ["after"]


def test_what_a_message_has_and_the_stream_has_not_stays(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, _ = place
    made = desk.create_message(fid)
    desk.set(made, {CLASS: "IPM.Note", SUBJECT: "before", COMMENT: "stays"})
    desk.recipients(made, [("Old", "old@far.test")])
    mid = desk.save(made)
    handle = desk.open_message(fid, mid)
    fxrops.upload(desk, COPY_TO, handle, prop(SUBJECT, "after") + recipient(5, "New", "new@far.test"))
    desk.save(handle)
    found = desk.open_message(fid, mid)
    assert desk.get(found, SUBJECT, COMMENT) == {SUBJECT: "after", COMMENT: "stays"}
    assert recipients_of(desk, found) == [("Old", "old@far.test"), ("New", "new@far.test")]


@pytest.mark.covers("MS-OXCFXICS_R1031")
def test_subobjects_are_replaced_where_the_stream_says_so(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, _ = place
    made = desk.create_message(fid)
    fxrops.upload(desk, COPY_TO, made, FULL)
    mid = desk.save(made)
    handle = desk.open_message(fid, mid)
    stream = prop(fx.FX_DEL_PROP, RECIPIENTS) + recipient(0, "Only", "only@far.test")
    fxrops.upload(desk, COPY_TO, handle, stream + prop(fx.FX_DEL_PROP, ATTACHMENTS))
    desk.save(handle)
    found = fxgrammar.message_content(fxrops.source(desk, fxrops.copy_to(), desk.open_message(fid, mid)))
    assert [each.get(NAME) for each in found.recipients] == ["Only"]
    assert found.attachments == []


PLAIN: dict[str, tuple[int, Value]] = {
    "Integer16": (0x0002, -2),
    "Integer32": (0x0003, -3),
    "Floating32": (0x0004, 0.5),
    "Floating64": (0x0005, -0.25),
    "Currency": (0x0006, 12345),
    "FloatingTime": (0x0007, 2.5),
    "Boolean": (0x000B, True),
    "Integer64": (0x0014, -(1 << 40)),
    "Time": (0x0040, 0x01DA123400000000),
    "Guid": (0x0048, bytes(range(16))),
    "Binary": (0x0102, b"\x00\x01\xff"),
    "empty Binary": (0x0102, b""),
    "big Binary": (0x0102, bytes(range(256)) * 100),
    "String": (0x001F, "Grüße"),
    "empty String": (0x001F, ""),
    "MultipleInteger16": (0x1002, [1, -2, 3]),
    "MultipleInteger32": (0x1003, [1, -2]),
    "MultipleFloating64": (0x1005, [0.5]),
    "MultipleInteger64": (0x1014, [1 << 40, 2]),
    "MultipleTime": (0x1040, [0x01DA123400000000, 0x01DA123500000000]),
    "MultipleGuid": (0x1048, [bytes(range(16)), bytes(16)]),
    "MultipleString": (0x101F, ["one", "", "drei ß"]),
    "MultipleBinary": (0x1102, [b"one", b"", b"\x00"]),
}


@pytest.mark.covers("MS-OXCFXICS_R990", "MS-OXCFXICS_R983")
@pytest.mark.parametrize("named", [None, (COMMON, 0x8AAA), (STRINGS, "A property of ours")])
@pytest.mark.parametrize("kind", sorted(PLAIN))
def test_every_form_of_a_property(
    desk: Desk, place: tuple[bytes, int], kind: str, named: Name | None
) -> None:
    """By id and by name; ids of names in a stream are the sender's own."""
    number, value = PLAIN[kind]
    sent = (0x9ABC if named else 0x3EAB) << 16 | number
    made = desk.create_message(place[0])
    fxrops.upload(desk, COPY_TO, made, prop(CLASS, "IPM.Note") + prop(sent, value, named), 9)
    mid = desk.save(made)
    handle = desk.open_message(place[0], mid)
    found = fxgrammar.message_content(fxrops.source(desk, fxrops.copy_to(), handle)).props
    assert (found.named(named) if named else found.get(sent)) == value


@pytest.mark.covers("MS-OXCFXICS_R995")
@pytest.mark.parametrize(
    ("tag", "data"),
    [
        (0x0037001F, "unended".encode("utf-16-le")),
        (0x0037001E, b"unended"),
        (0x003784E4, b"unended"),
        (0x0037001F, "unended\0".encode("utf-16-le")),
    ],
)
def test_strings_are_cut_at_a_zero_alone(desk: Desk, place: tuple[bytes, int], tag: int, data: bytes) -> None:
    made = desk.create_message(place[0])
    stream = prop(CLASS, "IPM.Note") + struct.pack("<II", tag, len(data)) + data
    fxrops.upload(desk, COPY_TO, made, stream)
    assert desk.look(place[0], desk.save(made), SUBJECT)[SUBJECT] == "unended"


@pytest.mark.parametrize(
    ("tag", "raw", "text"),
    [
        (0x0037001E, "Grüße".encode("cp1252"), "Grüße"),
        (0x003784B0, "Grüße ж", "Grüße ж"),
        (0x003784E4, "Grüße".encode("cp1252") + b"\0", "Grüße"),
        (0x003784E3, "жук".encode("cp1251") + b"\0", "жук"),
        (0x0037001F, "Grüße ж", "Grüße ж"),
    ],
)
def test_strings_in_every_form(desk: Desk, place: tuple[bytes, int], tag: int, raw: Value, text: str) -> None:
    """PtypString, PtypString8, and strings of a code page (2.2.4.1.1.1)."""
    made = desk.create_message(place[0])
    fxrops.upload(desk, COPY_TO, made, prop(CLASS, "IPM.Note") + prop(tag, raw))
    mid = desk.save(made)
    assert desk.look(place[0], mid, SUBJECT)[SUBJECT] == text


@pytest.mark.covers("MS-OXCFXICS_R2281")
def test_the_provider_s_range_is_ignored(desk: Desk, place: tuple[bytes, int]) -> None:
    fid, _ = place
    made = desk.create_message(fid)
    wrong = {0x66010003: 5, MID: 77, SOURCE_KEY: b"no key of anything", 0x67FF0102: b"x"}
    fxrops.upload(desk, COPY_TO, made, props(wrong) + content("right"))
    mid = desk.save(made)
    found = desk.look(fid, mid, SUBJECT, SOURCE_KEY, MID)
    assert found == {SUBJECT: "right", SOURCE_KEY: desk.gid(mid), MID: struct.unpack("<q", mid)[0]}


@pytest.mark.covers("MS-OXCFXICS_R597", "MS-OXCFXICS_R600")
@pytest.mark.parametrize("operation", [COPY_TO, COPY_PROPERTIES])
def test_an_attachment(desk: Desk, place: tuple[bytes, int], operation: int) -> None:
    made = desk.create_message(place[0])
    handle = desk.create_attachment(made)
    fxrops.upload(desk, operation, handle, props({METHOD: 1, FILE: "up.bin", DATA: b"bytes"}))
    desk.save_attachment(made, handle)
    other = desk.create_attachment(made)
    inner = marker(fx.START_EMBED) + content("inner") + marker(fx.END_EMBED)
    fxrops.upload(desk, operation, other, props({METHOD: 5, FILE: "up.msg"}) + inner)
    desk.save_attachment(made, other)
    mid = desk.save(made)
    again = desk.open_message(place[0], mid)
    first, second = desk.open_attachment(again, 0), desk.open_attachment(again, 1)
    assert desk.get(first, FILE, DATA) == {FILE: "up.bin", DATA: b"bytes"}
    assert desk.get(second, FILE) == {FILE: "up.msg"}
    assert desk.get(desk.embed(second, 0), SUBJECT)[SUBJECT] == "inner"


@pytest.mark.covers("MS-OXCFXICS_R601")
def test_a_list_of_messages(desk: Desk, place: tuple[bytes, int]) -> None:
    _, folder = place
    stream = (
        message("one")
        + message("settings", start=fx.START_FAI)
        + message("two", recipient(0, "A", "a@far.test"))
    )
    fxrops.upload(desk, COPY_MESSAGES, folder, stream, 11)
    assert subjects(desk, folder) == ["one", "two"]
    assert subjects(desk, folder, 0x12) == ["settings"]


def test_a_message_of_a_list_is_there_when_it_is_whole(desk: Desk, place: tuple[bytes, int]) -> None:
    _, folder = place
    context = configured(desk, COPY_MESSAGES, folder)
    stream = message("one") + message("two")
    assert fxrops.put(desk, context, stream[:-4]).code == OK
    assert subjects(desk, folder) == ["one"]
    desk.release(context)
    assert subjects(desk, folder) == ["one"], "what is not whole is forgotten"


def below(name: str, inside: bytes = b"") -> bytes:
    """subFolderNoDelProps."""
    head = props({FID: 99, DISPLAY: name, COMMENT: f"about {name}"})
    return marker(fx.START_SUB) + head + inside + marker(fx.END_FOLDER)


@pytest.mark.covers("MS-OXCFXICS_R602", "MS-OXCFXICS_R595", "MS-OXCFXICS_R598")
@pytest.mark.parametrize("operation", [COPY_TO, COPY_PROPERTIES, COPY_FOLDER])
def test_a_tree_of_folders(desk: Desk, place: tuple[bytes, int], operation: int) -> None:
    _, folder = place
    stream = prop(COMMENT, "about it")
    tree = message("one") + message("settings", start=fx.START_FAI)
    if operation == COPY_FOLDER:
        tree += below("Below", message("two") + below("Deeper", message("three")))
        stream = marker(fx.START_TOP) + stream + tree + marker(fx.END_FOLDER)
    else:
        two, three = message("two"), message("three")
        deeper = prop(fx.FX_DEL_PROP, 0x360E000D) + below("Deeper", prop(fx.FX_DEL_PROP, 0x360F000D) + three)
        stream += prop(fx.FX_DEL_PROP, 0x360F000D) + tree + prop(fx.FX_DEL_PROP, 0x360E000D)
        stream += below("Below", prop(fx.FX_DEL_PROP, 0x360F000D) + two + deeper)
    fxrops.upload(desk, operation, folder, stream, 13)
    assert subjects(desk, folder) == ["one"]
    assert subjects(desk, folder, 0x12) == ["settings"]
    assert desk.get(folder, COMMENT)[COMMENT] == "about it"
    found = fxgrammar.top_folder(fxrops.source(desk, fxrops.copy_folder(0x10), folder))
    (one,) = found.folders
    assert (one.props.get(DISPLAY), one.props.get(COMMENT)) == ("Below", "about Below")
    assert [each.content.props.get(SUBJECT) for each in one.messages] == ["two"]
    (two_below,) = one.folders
    assert two_below.props.get(DISPLAY) == "Deeper"
    assert [each.content.props.get(SUBJECT) for each in two_below.messages] == ["three"]


def by_tag(listed: Iterable[fx.Prop]) -> list[fx.Prop]:
    """In an order."""
    return sorted(listed, key=lambda each: (each.tag, str(each.name)))


def test_there_and_back_is_the_same(desk: Desk, place: tuple[bytes, int]) -> None:
    """A stream of this server, uploaded to it again, gives the same stream."""
    _, folder = place
    inside = FULL[len(content("whole")) :]
    stream = message("whole", inside) + message("settings", start=fx.START_FAI) + message("plain")
    fxrops.upload(desk, COPY_MESSAGES, folder, stream)
    parent = desk.open_folder(desk.folders["ipm"])
    other, other_handle = desk.create_folder(parent, "Other")
    first = b"".join(fxrops.source(desk, fxrops.copy_folder(), folder))
    fxrops.upload(desk, COPY_FOLDER, other_handle, first)
    second = fxrops.source(desk, fxrops.copy_folder(), other_handle)

    def read(buffers: list[bytes]) -> list[tuple[object, ...]]:
        found = fxgrammar.top_folder(buffers).messages
        return [
            (
                each.associated,
                by_tag(prop for prop in each.content.props.props if prop.tag not in (MID, SEARCH_KEY)),
                [by_tag(one.props) for one in each.content.recipients],
                [by_tag(one.props.props) for one in each.content.attachments],
            )
            for each in found
        ]

    assert read([first]) == read(second)
    assert other


@pytest.mark.parametrize(
    "stream",
    [
        marker(fx.END_MESSAGE),
        marker(fx.START_MESSAGE) + marker(fx.START_MESSAGE),
        marker(fx.START_MESSAGE) + marker(fx.END_ATTACH),
        marker(fx.START_RECIP),
        marker(fx.START_MESSAGE) + marker(fx.START_SUB),
        marker(fx.SYNC_CHG),
        marker(fx.STATE_BEGIN),
        struct.pack("<I", 0x0037000A) + bytes(4),
        struct.pack("<I", 0x00370000) + bytes(4),
        struct.pack("<I", 0x8000001F) + bytes(16) + b"\2" + bytes(8),
        struct.pack("<II", 0x00371003, 0x7FFFFFFF) + bytes(4),
    ],
)
def test_streams_that_are_none(desk: Desk, place: tuple[bytes, int], stream: bytes) -> None:
    _, folder = place
    context = configured(desk, COPY_MESSAGES, folder)
    answer = fxrops.put(desk, context, stream)
    assert answer.code not in (OK, 0x80040102)
    assert isinstance(answer.value, fxrops.Put)
    assert (answer.value.status, answer.value.done) == (0, 0)
    assert subjects(desk, folder) == []


def test_what_came_before_a_broken_message_stays(desk: Desk, place: tuple[bytes, int]) -> None:
    _, folder = place
    context = configured(desk, COPY_MESSAGES, folder)
    assert fxrops.put(desk, context, message("one") + marker(fx.END_FOLDER)).code != OK
    assert subjects(desk, folder) == ["one"]


def test_an_error_info_takes_a_message_back(desk: Desk, place: tuple[bytes, int]) -> None:
    _, folder = place
    error = marker(fx.ERROR_INFO) + prop(0x00000102, bytes(0x50))
    half = marker(fx.START_MESSAGE) + content("lost")
    fxrops.upload(desk, COPY_MESSAGES, folder, message("one") + half + error + message("two"))
    assert subjects(desk, folder) == ["one", "two"]


@pytest.mark.covers("MS-OXCFXICS_R2153", "MS-OXCFXICS_R3492")
@pytest.mark.parametrize(("operation", "flags"), [(0, 0), (5, 0), (0xFF, 0), (1, 0x02), (1, 0x80)])
def test_unknown_operations_and_flags(
    desk: Desk, place: tuple[bytes, int], operation: int, flags: int
) -> None:
    rop = fxrops.destination(operation, flags)
    assert desk.call(rop, [place[1], NONE]).code == INVALID_PARAMETER


def test_a_move_is_configured_like_a_copy(desk: Desk, place: tuple[bytes, int]) -> None:
    context = configured(desk, COPY_MESSAGES, place[1], 0x01)
    assert fxrops.put(desk, context, message("moved")).code == OK
    assert subjects(desk, place[1]) == ["moved"]


@pytest.mark.parametrize("operation", [COPY_MESSAGES, COPY_FOLDER])
def test_messages_and_attachments_hold_no_folders(
    desk: Desk, place: tuple[bytes, int], operation: int
) -> None:
    made = desk.create_message(place[0])
    rop = fxrops.destination(operation)
    assert desk.call(rop, [made, NONE]).code == INVALID_PARAMETER
    assert desk.call(rop, [desk.create_attachment(made), NONE]).code == INVALID_PARAMETER


def test_uploads_need_a_target(desk: Desk, place: tuple[bytes, int]) -> None:
    rop = fxrops.destination(COPY_TO)
    assert desk.call(rop, [NONE, NONE]).code == fxdesk.NULL_OBJECT
    assert desk.call(rop, [desk.logon, NONE]).code == fxdesk.NOT_SUPPORTED
    table = desk.contents_table(place[1])
    assert desk.call(rop, [table, NONE]).code == fxdesk.NOT_SUPPORTED
    for extended in (False, True):
        for wrong in (place[1], NONE):
            assert fxrops.put(desk, wrong, b"1234", extended).code in (
                fxdesk.NOT_SUPPORTED,
                fxdesk.NULL_OBJECT,
            )


def test_nothing_is_uploaded_into_what_is_read_only(desk: Desk, place: tuple[bytes, int]) -> None:
    mid = desk.message(place[0], {CLASS: "IPM.Note", SUBJECT: "hers"})
    reading = desk.open_message(place[0], mid, 0)
    answer = desk.call(fxrops.destination(COPY_TO), [reading, NONE])
    if answer.code == OK:
        assert fxrops.put(desk, answer.out, content("changed")).code == fxdesk.ACCESS_DENIED
    else:
        assert answer.code == fxdesk.ACCESS_DENIED
    assert desk.look(place[0], mid, SUBJECT)[SUBJECT] == "hers"
