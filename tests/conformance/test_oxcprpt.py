"""MS-OXCPRPT: getting, setting, deleting, naming and copying properties."""

import pytest

from tests.conformance import tags
from tests.conformance.desk import Desk, Folder
from tests.conformance.messages import CREATE
from tests.conformance.office import Person
from tests.conformance.properties import (
    CREATE_NAMES,
    NO_IDS,
    NO_STRINGS,
    OURS,
    Name,
    custom,
    missing,
)
from tests.conformance.rop import (
    NOT_FOUND,
    OUT_OF_MEMORY,
)
from tests.conformance.values import (
    BINARY,
    BOOLEAN,
    CURRENCY,
    DOUBLE,
    FLOAT,
    GUID,
    LONG,
    LONGLONG,
    MULTIPLE,
    SHORT,
    STRING8,
    TIME,
    UNICODE,
    Error,
    Typed,
    tag,
)

PUBLIC_STRINGS = bytes.fromhex("29 03 02 00 00 00 00 00 C0 00 00 00 00 00 00 46")
PS_MAPI = bytes.fromhex("28 03 02 00 00 00 00 00 C0 00 00 00 00 00 00 46")
INTERNET_HEADERS = bytes.fromhex("86 03 02 00 00 00 00 00 C0 00 00 00 00 00 00 46")
COMMON = bytes.fromhex("08 20 06 00 00 00 00 00 C0 00 00 00 00 00 00 46")
KINDS = ["message", "folder", "attachment", "logon"]


# getting


@pytest.mark.covers("MS-OXCPRPT_R45701", "MS-OXCPRPT_R64", "MS-OXCPRPT_R76", "MS-OXCPRPT_R457001",
                    "MS-OXCPRPT_R457002", "MS-OXCPRPT_R5801", "MS-OXCPRPT_R56")  # fmt: skip
def test_values_come_in_the_order_of_the_tags(desk: Desk, message: int) -> None:
    desk.set(message, {tags.SUBJECT: "s", tags.IMPORTANCE: 2, tags.BODY: "b"})
    assert desk.get(message, tags.BODY, tags.IMPORTANCE, tags.SUBJECT) == ["b", 2, "s"]
    assert desk.get(message, tags.SUBJECT, tags.BODY, tags.SUBJECT) == ["s", "b", "s"]


@pytest.mark.covers("MS-OXCPRPT_R45702")
def test_missing_values_are_errors_in_their_places(desk: Desk, message: int) -> None:
    desk.set(message, {tags.SUBJECT: "s"})
    nothing = tag(0x6FF0, LONG)
    assert desk.get(message, nothing, tags.SUBJECT, nothing) == [Error(NOT_FOUND), "s", Error(NOT_FOUND)]


@pytest.mark.covers("MS-OXCPRPT_R458", "MS-OXCPRPT_R459", "MS-OXCPRPT_R6401", "MS-OXCPRPT_R65",
                    "MS-OXCPRPT_R460")  # fmt: skip
def test_untyped_strings_follow_want_unicode(desk: Desk, message: int) -> None:
    desk.set(message, {tags.SUBJECT: "Größe", tags.IMPORTANCE: 0})
    untyped = [tags.SUBJECT & 0xFFFF0000, tags.IMPORTANCE & 0xFFFF0000]
    assert desk.get(message, *untyped) == [Typed(UNICODE, "Größe"), Typed(LONG, 0)]
    assert desk.get(message, *untyped, unicode=0) == [Typed(STRING8, "Größe"), Typed(LONG, 0)]
    for unicode in (0, 1):
        assert desk.get(message, tags.SUBJECT, tags.SUBJECT8, unicode=unicode) == ["Größe", "Größe"]


def test_an_untyped_property_that_is_missing_is_an_error(desk: Desk, message: int) -> None:
    (found,) = desk.get(message, 0x6FF00000)
    assert isinstance(found, Typed)
    assert found.value == Error(NOT_FOUND) or found == Typed(0x0A, NOT_FOUND)


@pytest.mark.covers("MS-OXCPRPT_R9070101", "MS-OXCPRPT_R9070102", "MS-OXCPRPT_R90701", "MS-OXCPRPT_R62")
@pytest.mark.parametrize("limit", [0, 1, 100, 0xFFFF])
def test_the_size_limit_is_ignored(desk: Desk, message: int, limit: int) -> None:
    desk.set(message, {tags.SUBJECT: "x" * 200})
    assert desk.get(message, tags.SUBJECT, limit=limit) == ["x" * 200]


@pytest.mark.covers("MS-OXCPRPT_R2052", "MS-OXCPRPT_R643")
def test_a_value_that_is_too_big_is_read_as_a_stream(desk: Desk, inbox: Folder, message: int) -> None:
    stream, _ = desk.open_stream(message, tags.BODY, CREATE)
    for _ in range(10):
        desk.write(stream, ("y" * 10_000).encode("utf-16-le"))
    desk.commit(stream)
    desk.set(message, {tags.SUBJECT: "small"})
    assert desk.get(message, tags.BODY, tags.SUBJECT) == [Error(OUT_OF_MEMORY), "small"]
    opened = desk.opened(inbox, desk.save(message))
    assert desk.get(opened, tags.SUBJECT, tags.BODY) == ["small", Error(OUT_OF_MEMORY)]
    assert desk.get_all(opened)[tag(tags.BODY >> 16, 0x0A)] == Error(OUT_OF_MEMORY)
    assert tags.BODY in desk.list(opened)


@pytest.mark.covers("MS-OXCPRPT_R84", "MS-OXCPRPT_R92", "MS-OXCPRPT_R9201", "MS-OXCPRPT_R93",
                    "MS-OXCPRPT_R5801", "MS-OXCPRPT_R5802", "MS-OXCPRPT_R5803", "MS-OXCPRPT_R5804",
                    "MS-OXCPRPT_R8001", "MS-OXCPRPT_R8002", "MS-OXCPRPT_R8003", "MS-OXCPRPT_R8004",
                    "MS-OXCPRPT_R9701", "MS-OXCPRPT_R9702", "MS-OXCPRPT_R9703", "MS-OXCPRPT_R9704",
                    "MS-OXCPRPT_R472", "MS-OXCPRPT_R471")  # fmt: skip
@pytest.mark.parametrize("kind", KINDS)
def test_all_properties_and_their_list_agree(desk: Desk, objects: dict[str, int], kind: str) -> None:
    handle = objects[kind]
    everything = desk.get_all(handle)
    listed = desk.list(handle)
    assert {number >> 16 for number in everything} == {number >> 16 for number in listed}
    assert all(number & 0xFFFF not in (0, STRING8) for number in listed)
    for number, value in everything.items():
        if not isinstance(value, Error):
            assert desk.one(handle, number) == value, hex(number)


@pytest.mark.covers("MS-OXCPRPT_R8502", "MS-OXCPRPT_R8702")
def test_all_strings_come_in_8_bits_without_want_unicode(desk: Desk, message: int) -> None:
    desk.set(message, {tags.SUBJECT: "Größe"})
    assert desk.get_all(message, unicode=1)[tags.SUBJECT] == "Größe"
    assert desk.get_all(message, unicode=0)[tags.SUBJECT8] == "Größe"


@pytest.mark.covers("MS-OXCPRPT_R10001", "MS-OXCPRPT_R100", "MS-OXCPRPT_R9903")
def test_what_is_set_is_listed(desk: Desk, message: int) -> None:
    number = custom(desk, LONG)
    assert number not in desk.list(message)
    desk.set(message, {number: 7, tags.SUBJECT: "x"})
    assert {number, tags.SUBJECT} <= set(desk.list(message))
    assert desk.get_all(message)[number] == 7


# setting and deleting

VALUES = [
    (SHORT, -5),
    (LONG, 0xFFFFFFFE),
    (FLOAT, 1.5),
    (DOUBLE, -2.25),
    (CURRENCY, -10_000),
    (BOOLEAN, True),
    (LONGLONG, 1 << 40),
    (UNICODE, "Ünïcödé ☃"),
    (UNICODE, ""),
    (STRING8, "acht Bits: ö"),
    (TIME, 130_000_000_000_000_000),
    (GUID, bytes(range(16))),
    (BINARY, b""),
    (BINARY, bytes(range(256))),
    (MULTIPLE | SHORT, [1, 2]),
    (MULTIPLE | LONG, [1, 2, 3]),
    (MULTIPLE | DOUBLE, [0.5]),
    (MULTIPLE | LONGLONG, [1, 1 << 50]),
    (MULTIPLE | UNICODE, ["a", "", "ü"]),
    (MULTIPLE | STRING8, ["a", "b"]),
    (MULTIPLE | TIME, [1, 2]),
    (MULTIPLE | GUID, [bytes(16), bytes(range(16))]),
    (MULTIPLE | BINARY, [b"a", b"", b"bc"]),
]


@pytest.mark.covers("MS-OXCPRPT_R475", "MS-OXCPRPT_R476", "MS-OXCPRPT_R477", "MS-OXCPRPT_R478",
                    "MS-OXCPRPT_R101")  # fmt: skip
@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_every_type_is_set_saved_and_read(
    desk: Desk, inbox: Folder, message: int, kind: int, value: object
) -> None:
    number = custom(desk, kind, f"typed-{kind:x}")
    saved = desk.save(message)
    other = desk.opened(inbox, saved)
    assert desk.set(message, {number: value}) == []
    assert desk.one(message, number) == value
    assert missing(desk.one(other, number))
    assert missing(desk.one(desk.opened(inbox, saved), number))
    desk.save(message)
    assert desk.one(desk.opened(inbox, saved), number) == value


@pytest.mark.covers("MS-OXCPRPT_R10201", "MS-OXCPRPT_R10202", "MS-OXCPRPT_R10203", "MS-OXCPRPT_R10204",
                    "MS-OXCPRPT_R11401", "MS-OXCPRPT_R11402", "MS-OXCPRPT_R11403", "MS-OXCPRPT_R11404",
                    "MS-OXCPRPT_R826", "MS-OXCPRPT_R828", "MS-OXCPRPT_R830", "MS-OXCPRPT_R832",
                    "MS-OXCPRPT_R837", "MS-OXCPRPT_R839", "MS-OXCPRPT_R841", "MS-OXCPRPT_R843",
                    "MS-OXCPRPT_R874", "MS-OXCPRPT_R875", "MS-OXCPRPT_R835", "MS-OXCPRPT_R83603")  # fmt: skip
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("replicate", [True, False])
def test_properties_of_every_object_are_set_and_deleted(
    desk: Desk, objects: dict[str, int], kind: str, replicate: bool
) -> None:
    handle = objects[kind]
    number = custom(desk, UNICODE)
    assert desk.set(handle, {number: "here"}, replicate=replicate) == []
    assert desk.one(handle, number) == "here"
    assert desk.get_all(handle)[number] == "here"
    assert desk.delete(handle, number, replicate=replicate) == []
    assert desk.one(handle, number) == Error(NOT_FOUND)
    assert number not in desk.get_all(handle)
    assert number not in desk.list(handle)


@pytest.mark.covers("MS-OXCPRPT_R846", "MS-OXCPRPT_R492", "MS-OXCPRPT_R847", "MS-OXCPRPT_R49201")
def test_folders_and_stores_are_changed_at_once(desk: Desk, inbox: Folder, anna: Person) -> None:
    folder = desk.create_folder(inbox, "at once")
    assert desk.set(folder.handle, {tags.COMMENT: "noted"}) == []
    own = custom(desk, UNICODE)
    assert desk.set(desk.logon, {own: "mine"}) == []
    with anna.mapi() as mapi:
        other = Desk(mapi, anna.dn)
        opened = other.open_folder(folder.id)
        assert other.one(opened.handle, tags.COMMENT) == "noted"
        assert other.one(other.logon, own) == "mine"
        assert desk.delete(folder.handle, tags.COMMENT) == []
        assert other.one(other.open_folder(folder.id).handle, tags.COMMENT) in ("", Error(NOT_FOUND))


@pytest.mark.covers("MS-OXCPRPT_R487", "MS-OXCPRPT_R488", "MS-OXCPRPT_R489", "MS-OXCPRPT_R486")
def test_a_deleted_property_is_gone_for_others_when_saved(desk: Desk, inbox: Folder, message: int) -> None:
    desk.set(message, {tags.BODY: "text"})
    saved = desk.save(message)
    assert desk.delete(message, tags.BODY) == []
    assert missing(desk.one(message, tags.BODY))
    assert desk.one(desk.opened(inbox, saved), tags.BODY) == "text"
    desk.save(message)
    assert missing(desk.one(desk.opened(inbox, saved), tags.BODY))


@pytest.mark.covers("MS-OXCPRPT_R490", "MS-OXCPRPT_R491", "MS-OXCPRPT_R480")
def test_a_deleted_property_of_an_attachment(desk: Desk, inbox: Folder, message: int) -> None:
    attachment, which = desk.create_attachment(message)
    desk.set(attachment, {tags.ATTACH_LONG_FILENAME: "a.txt"})
    desk.save_attachment(attachment, message)
    saved = desk.save(message)
    assert desk.delete(attachment, tags.ATTACH_LONG_FILENAME) == []
    assert missing(desk.one(attachment, tags.ATTACH_LONG_FILENAME))

    def elsewhere() -> object:
        return desk.one(desk.open_attachment(desk.opened(inbox, saved), which), tags.ATTACH_LONG_FILENAME)

    assert elsewhere() == "a.txt"
    desk.save_attachment(attachment, message)
    assert elsewhere() == "a.txt"
    desk.save(message)
    assert missing(elsewhere())


@pytest.mark.covers("MS-OXCPRPT_R47505", "MS-OXCPRPT_R10801", "MS-OXCPRPT_R47506", "MS-OXCPRPT_R107")
def test_a_problem_names_its_property(desk: Desk, message: int) -> None:
    values = {tags.SUBJECT: "good", tags.ACCESS: 99, tags.BODY: "also good"}
    for problem in desk.set(message, values):
        assert (problem.index, problem.tag) == (1, tags.ACCESS)
        assert problem.code >= 0x80000000
    assert desk.get(message, tags.SUBJECT, tags.BODY) == ["good", "also good"]
    assert desk.one(message, tags.ACCESS) != 99


@pytest.mark.covers("MS-OXCPRPT_R48405", "MS-OXCPRPT_R121", "MS-OXCPRPT_R119")
def test_what_the_server_needs_is_not_deleted(desk: Desk, message: int) -> None:
    for problem in desk.delete(message, tags.SUBJECT, tags.ACCESS):
        assert (problem.index, problem.tag) == (1, tags.ACCESS)
    assert isinstance(desk.one(message, tags.ACCESS), int)


def test_deleting_what_is_not_there_is_no_failure(desk: Desk, message: int) -> None:
    assert desk.delete(message, custom(desk, LONG, "never set")) == []


def test_setting_nothing_and_getting_nothing(desk: Desk, message: int) -> None:
    assert desk.set(message, {}) == []
    assert desk.delete(message) == []


# names


@pytest.mark.covers("MS-OXCPRPT_R215", "MS-OXCPRPT_R21502", "MS-OXCPRPT_R218", "MS-OXCPRPT_R21801",
                    "MS-OXCPRPT_R533", "MS-OXCPRPT_R534", "MS-OXCPRPT_R535", "MS-OXCPRPT_R628",
                    "MS-OXCPRPT_R62801", "MS-OXCPRPT_R220", "MS-OXCPRPT_R222", "MS-OXCPRPT_R226",
                    "MS-OXCPRPT_R532", "MS-OXCPRPT_R216", "MS-OXCPRPT_R41405")  # fmt: skip
def test_names_are_registered_when_it_is_asked_for(desk: Desk, anna: Person) -> None:
    mark = anna.address
    names = [Name(OURS, f"{mark}-a"), Name(OURS, 0x7001), Name(OURS, f"{mark}-b"), Name(COMMON, 0x8501)]
    assert desk.ids(desk.logon, Name(OURS, f"{mark}-none"), names[0]) == [0, 0]
    made = desk.ids(desk.logon, *names, flags=CREATE_NAMES)
    assert len(set(made)) == 4
    assert all(0x8000 <= number < 0xFFFF for number in made)
    assert desk.ids(desk.logon, *reversed(names)) == made[::-1]
    assert desk.ids(desk.logon, names[0], Name(OURS, f"{mark}-none"), names[1]) == [made[0], 0, made[1]]
    assert desk.names(desk.logon, *made) == names


@pytest.mark.covers("MS-OXCPRPT_R20701", "MS-OXCPRPT_R20702", "MS-OXCPRPT_R20703", "MS-OXCPRPT_R20704",
                    "MS-OXCPRPT_R23701", "MS-OXCPRPT_R23702", "MS-OXCPRPT_R23703",
                    "MS-OXCPRPT_R23704")  # fmt: skip
@pytest.mark.parametrize("kind", KINDS)
def test_every_object_knows_the_names(desk: Desk, objects: dict[str, int], kind: str) -> None:
    name = Name(OURS, "known everywhere")
    (number,) = desk.ids(objects[kind], name, flags=CREATE_NAMES)
    assert desk.ids(desk.logon, name) == [number]
    assert desk.names(objects[kind], number) == [name]


@pytest.mark.covers("MS-OXCPRPT_R642", "MS-OXCPRPT_R225")
def test_ps_mapi_names_are_ids(desk: Desk) -> None:
    for flags in (0, CREATE_NAMES):
        assert desk.ids(desk.logon, Name(PS_MAPI, 0x0037), Name(PS_MAPI, 0x3001), flags=flags) == [
            0x37,
            0x3001,
        ]
        assert desk.ids(desk.logon, Name(PS_MAPI, "text"), flags=flags) == [0]


@pytest.mark.covers("MS-OXCPRPT_R529", "MS-OXCPRPT_R530")
def test_header_names_are_in_lower_case(desk: Desk) -> None:
    upper, lower = Name(INTERNET_HEADERS, "X-Blind-Test"), Name(INTERNET_HEADERS, "x-blind-test")
    (number,) = desk.ids(desk.logon, upper, flags=CREATE_NAMES)
    assert desk.ids(desk.logon, lower) == [number]
    assert desk.names(desk.logon, number) == [lower]
    (other,) = desk.ids(desk.logon, Name(OURS, "Case Matters"), flags=CREATE_NAMES)
    assert desk.ids(desk.logon, Name(OURS, "case matters")) == [0]
    assert other


@pytest.mark.covers("MS-OXCPRPT_R518", "MS-OXCPRPT_R519", "MS-OXCPRPT_R520", "MS-OXCPRPT_R521",
                    "MS-OXCPRPT_R249")  # fmt: skip
def test_ids_below_0x8000_have_names_of_ps_mapi(desk: Desk) -> None:
    assert desk.names(desk.logon, 0x0037, 0x7FFF) == [Name(PS_MAPI, 0x37), Name(PS_MAPI, 0x7FFF)]


@pytest.mark.covers("MS-OXCPRPT_R523", "MS-OXCPRPT_R524")
def test_an_id_without_a_name(desk: Desk) -> None:
    first, second = desk.names(desk.logon, 0xFFFE, 0x0037)
    assert first.key is None
    assert second == Name(PS_MAPI, 0x37)


@pytest.mark.covers("MS-OXCPRPT_R526", "MS-OXCPRPT_R213", "MS-OXCPRPT_R217")
def test_all_names_are_told_by_the_logon(desk: Desk) -> None:
    names = [Name(OURS, f"listed {number}") for number in range(5)]
    made = desk.ids(desk.logon, *names, flags=CREATE_NAMES)
    everything = desk.ids(desk.logon)
    assert set(made) <= set(everything)
    assert len(set(everything)) == len(everything)
    told = desk.names(desk.logon, *everything)
    assert {(name.guid, name.key) for name in names} <= {(name.guid, name.key) for name in told}
    assert all(name.key is not None for name in told)


@pytest.mark.covers("MS-OXCPRPT_R495", "MS-OXCPRPT_R876", "MS-OXCPRPT_R877", "MS-OXCPRPT_R878",
                    "MS-OXCPRPT_R87801", "MS-OXCPRPT_R132", "MS-OXCPRPT_R134", "MS-OXCPRPT_R138",
                    "MS-OXCPRPT_R145", "MS-OXCPRPT_R12901", "MS-OXCPRPT_R12902", "MS-OXCPRPT_R12903",
                    "MS-OXCPRPT_R12904", "MS-OXCPRPT_R87802")  # fmt: skip
@pytest.mark.parametrize("kind", KINDS)
def test_named_properties_of_an_object_are_queried(desk: Desk, objects: dict[str, int], kind: str) -> None:
    names = [Name(OURS, "by name"), Name(OURS, 0x7002), Name(COMMON, 0x8502)]
    made = desk.ids(desk.logon, *names, flags=CREATE_NAMES)
    handle = objects[kind]
    if kind != "logon":
        assert desk.set(handle, {tag(number, LONG): 1 for number in made}) == []
    expected = dict(zip(made, names, strict=True))

    def query(flags: int = 0, guid: bytes | None = None) -> dict[int, Name]:
        found = desk.query_named(handle, flags, guid)
        return {number: name for number, name in found.items() if number in expected}

    assert query() == expected
    assert query(NO_STRINGS) == {made[1]: names[1], made[2]: names[2]}
    assert query(NO_IDS) == {made[0]: names[0]}
    assert query(0, COMMON) == {made[2]: names[2]}
    assert query(NO_IDS, COMMON) == {}
    assert query(0xF0) == expected
    assert query(0xF0 | NO_IDS) == {made[0]: names[0]}
    assert query(NO_IDS | NO_STRINGS) == {}
