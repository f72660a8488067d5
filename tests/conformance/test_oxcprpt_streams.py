"""MS-OXCPRPT: streams."""

import struct

import pytest

from tests.conformance import tags
from tests.conformance.client import execute_body, execute_parts, rop_buffer
from tests.conformance.desk import Desk, Folder
from tests.conformance.messages import CREATE, READ_ONLY, READ_WRITE
from tests.conformance.office import Person
from tests.conformance.properties import missing
from tests.conformance.rop import (
    INVALID_OBJECT,
    NONE,
    NOT_FOUND,
    NOT_IMPLEMENTED,
    NOT_SUPPORTED,
    NULL_DESTINATION,
    RPC_FORMAT,
    STREAM_ACCESS_DENIED,
    STREAM_INVALID,
    STREAM_SEEK,
    STREAM_SIZE,
)
from tests.conformance.streams import BEGINNING, BIG_READ, CURRENT, END
from tests.conformance.values import BINARY, STRING8, UNICODE, tag

BLOB = tag(0x6FF2, BINARY)
GIGABYTES = 1 << 31


@pytest.fixture
def stream(desk: Desk, message: int) -> int:
    """An empty stream that may be written."""
    handle, size = desk.open_stream(message, BLOB, CREATE)
    assert size == 0
    return handle


# opening


@pytest.mark.covers("MS-OXCPRPT_R549", "MS-OXCPRPT_R891", "MS-OXCPRPT_R272")
@pytest.mark.parametrize("mode", [READ_ONLY, READ_WRITE])
def test_a_property_that_is_not_there_is_not_opened(desk: Desk, message: int, mode: int) -> None:
    desk.open_stream(message, BLOB, mode, expect=NOT_FOUND)


@pytest.mark.covers("MS-OXCPRPT_R25301", "MS-OXCPRPT_R25302", "MS-OXCPRPT_R25303", "MS-OXCPRPT_R25502",
                    "MS-OXCPRPT_R25506", "MS-OXCPRPT_R256", "MS-OXCPRPT_R251")  # fmt: skip
@pytest.mark.parametrize("kind", ["message", "folder", "attachment"])
def test_streams_open_on_messages_folders_and_attachments(
    desk: Desk, inbox: Folder, message: int, kind: str
) -> None:
    handle = {
        "message": lambda: message,
        "folder": lambda: desk.create_folder(inbox, "streams").handle,
        "attachment": lambda: desk.create_attachment(message)[0],
    }[kind]()
    stream, _ = desk.open_stream(handle, BLOB, CREATE)
    assert desk.write(stream, b"streamed") == 8
    desk.commit(stream)
    assert desk.one(handle, BLOB) == b"streamed"
    again, size = desk.open_stream(handle, BLOB, READ_ONLY)
    assert size == 8
    assert desk.read(again, 100) == b"streamed"


@pytest.mark.covers("MS-OXCPRPT_R25503", "MS-OXCPRPT_R25504", "MS-OXCPRPT_R25505", "MS-OXCMSG_R238",
                    "MS-OXCMSG_R598")  # fmt: skip
@pytest.mark.parametrize(
    ("number", "written"),
    [
        (tags.ATTACH_OBJECT, b"\xd0\xcf\x11\xe0 a storage"),
        (tag(0x6FF6, STRING8), b"eight bits"),
        (tag(0x6FF6, UNICODE), "sixteen bits ☃".encode("utf-16-le")),
    ],
)
def test_every_type_streams_on_attachments(
    desk: Desk, inbox: Folder, message: int, number: int, written: bytes
) -> None:
    attachment, which = desk.create_attachment(message)
    desk.set(attachment, {tags.ATTACH_METHOD: 6})
    stream, _ = desk.open_stream(attachment, number, CREATE)
    assert desk.write(stream, written) == len(written)
    desk.commit(stream)
    desk.save_attachment(attachment, message)
    kept = desk.open_attachment(desk.opened(inbox, desk.save(message)), which)
    again, size = desk.open_stream(kept, number, READ_ONLY)
    assert size == len(written)
    assert desk.read(again, 100) == written


@pytest.mark.covers("MS-OXCPRPT_R548", "MS-OXCPRPT_R25501", "MS-OXCPRPT_R255")
@pytest.mark.parametrize(
    "number", [tags.IMPORTANCE, tag(0x6FF3, 0x40), tag(0x6FF4, 0x101F), tag(0x6FF5, 0x14)]
)
def test_other_types_are_not_opened(desk: Desk, message: int, number: int) -> None:
    desk.open_stream(message, number, CREATE, expect=NOT_SUPPORTED)
    desk.open_stream(desk.create_attachment(message)[0], number, CREATE, expect=NOT_SUPPORTED)


@pytest.mark.covers("MS-OXCPRPT_R548")
def test_streams_do_not_open_on_logons_and_tables(desk: Desk, inbox: Folder) -> None:
    for handle in (desk.logon, desk.contents(inbox)[0]):
        desk.open_stream(handle, BLOB, CREATE, expect=NOT_SUPPORTED)


@pytest.mark.covers("MS-OXCPRPT_R547", "MS-OXCPRPT_R276", "MS-OXCPRPT_R27601", "MS-OXCPRPT_R25509",
                    "MS-OXCPRPT_R25508")  # fmt: skip
def test_strings_are_opened_with_their_value(desk: Desk, message: int) -> None:
    desk.set(message, {tags.BODY: "Grüße"})
    wide, size = desk.open_stream(message, tags.BODY, READ_ONLY)
    assert desk.read(wide, 100) == "Grüße".encode("utf-16-le")
    assert size == 10
    narrow, size = desk.open_stream(message, tags.BODY8, READ_ONLY)
    assert desk.read(narrow, 100) == "Grüße".encode("cp1252")
    assert size == 5


@pytest.mark.covers("MS-OXCPRPT_R271")
def test_creating_empties_what_is_there(desk: Desk, message: int) -> None:
    desk.set(message, {BLOB: b"old value"})
    stream, size = desk.open_stream(message, BLOB, CREATE)
    assert size == 0
    desk.write(stream, b"new")
    desk.commit(stream)
    assert desk.one(message, BLOB) == b"new"


@pytest.mark.covers("MS-OXCPRPT_R269", "MS-OXCPRPT_R546")
def test_writing_starts_at_the_beginning_of_what_is_there(desk: Desk, message: int) -> None:
    desk.set(message, {BLOB: b"old value"})
    stream, size = desk.open_stream(message, BLOB, READ_WRITE)
    assert size == 9
    desk.write(stream, b"new")
    desk.commit(stream)
    assert desk.one(message, BLOB) == b"new value"


@pytest.mark.covers("MS-OXCPRPT_R267", "MS-OXCPRPT_R900", "MS-OXCPRPT_R901")
def test_a_stream_for_reading_is_not_written(desk: Desk, message: int) -> None:
    desk.set(message, {BLOB: b"value"})
    stream, _ = desk.open_stream(message, BLOB, READ_ONLY)
    assert desk.write(stream, b"x", expect=STREAM_ACCESS_DENIED) == 0
    assert desk.write_extended(stream, b"x", expect=STREAM_ACCESS_DENIED) == 0
    desk.resize(stream, 1, expect=STREAM_ACCESS_DENIED)
    assert desk.read(stream, 10) == b"value"


# reading and writing


@pytest.mark.covers("MS-OXCPRPT_R552", "MS-OXCPRPT_R555", "MS-OXCPRPT_R556", "MS-OXCPRPT_R296",
                    "MS-OXCPRPT_R55206")  # fmt: skip
def test_reading_goes_forward(desk: Desk, message: int) -> None:
    desk.set(message, {BLOB: b"0123456789"})
    stream, _ = desk.open_stream(message, BLOB, READ_ONLY)
    assert [desk.read(stream, many) for many in (4, 4, 4, 4)] == [b"0123", b"4567", b"89", b""]
    assert desk.read(stream, 0) == b""


@pytest.mark.covers("MS-OXCPRPT_R55205", "MS-OXCPRPT_R2830401", "MS-OXCPRPT_R2830201")
def test_big_reads_have_their_own_count(desk: Desk, message: int, stream: int) -> None:
    content = bytes(range(256)) * 200
    for start in range(0, len(content), 25_600):
        desk.write(stream, content[start : start + 25_600])
    desk.seek(stream, BEGINNING, 0)
    assert desk.read(stream, BIG_READ, 100) == content[:100]
    assert desk.read(stream, BIG_READ, 0) == b""
    rest = b""
    while more := desk.read(stream, BIG_READ, 0x100000):
        rest += more
    assert content[:100] + rest == content


@pytest.mark.covers("MS-OXCROPS_R321501")
@pytest.mark.parametrize("maximum", [0x80000001, 0xFFFFFFFF])
def test_a_read_beyond_every_stream_is_no_request(desk: Desk, message: int, maximum: int) -> None:
    desk.set(message, {BLOB: b"value"})
    stream, _ = desk.open_stream(message, BLOB, READ_ONLY)
    rop = b"\x2c\0\0" + struct.pack("<HI", BIG_READ, maximum)
    reply = desk.mapi.post("Execute", execute_body(rop_buffer(rop, [stream])))
    status, error, _, _, _ = execute_parts(reply.body)
    assert RPC_FORMAT in (status, error)


@pytest.mark.covers("MS-OXCPRPT_R560", "MS-OXCPRPT_R561", "MS-OXCPRPT_R56401", "MS-OXCPRPT_R56402",
                    "MS-OXCPRPT_R30401", "MS-OXCPRPT_R56403", "MS-OXCPRPT_R571",
                    "MS-OXCPRPT_R297")  # fmt: skip
def test_what_is_written_is_saved_with_the_message(desk: Desk, inbox: Folder, message: int) -> None:
    number = desk.save(message)
    stream, _ = desk.open_stream(message, BLOB, CREATE)
    assert desk.write(stream, b"one ") == 4
    assert desk.write(stream, b"two") == 3
    desk.commit(stream)
    assert desk.one(message, BLOB) == b"one two"
    assert missing(desk.one(desk.opened(inbox, number), BLOB))
    desk.save(message)
    assert desk.one(desk.opened(inbox, number), BLOB) == b"one two"


@pytest.mark.covers("MS-OXCPRPT_R56401")
def test_what_is_written_shows_before_the_commit(desk: Desk, message: int, stream: int) -> None:
    desk.write(stream, b"not committed")
    assert desk.one(message, BLOB) == b"not committed"


@pytest.mark.covers("MS-OXCPRPT_R56404")
def test_what_is_written_is_saved_with_the_attachment(desk: Desk, inbox: Folder, message: int) -> None:
    attachment, which = desk.create_attachment(message)
    desk.set(attachment, {tags.ATTACH_METHOD: 1})
    stream, _ = desk.open_stream(attachment, tags.ATTACH_DATA, CREATE)
    content = bytes(range(256)) * 100
    for _ in range(12):
        assert desk.write(stream, content) == len(content)
    desk.commit(stream)
    desk.release(stream)
    desk.save_attachment(attachment, message)
    number = desk.save(message)
    kept = desk.open_attachment(desk.opened(inbox, number), which)
    again, size = desk.open_stream(kept, tags.ATTACH_DATA, READ_ONLY)
    assert size == len(content) * 12
    read = b""
    while more := desk.read(again, 0x7000):
        read += more
    assert read == content * 12


@pytest.mark.covers("MS-OXCPRPT_R56405")
@pytest.mark.parametrize("commit", [True, False])
def test_what_is_written_to_a_folder_is_kept_on_release(
    desk: Desk, inbox: Folder, anna: Person, commit: bool
) -> None:
    folder = desk.create_folder(inbox, "written")
    stream, _ = desk.open_stream(folder.handle, BLOB, CREATE)
    desk.write(stream, b"for the folder")
    if commit:
        desk.commit(stream)
    else:
        desk.release(stream)
    with anna.mapi() as mapi:
        other = Desk(mapi, anna.dn)
        assert other.one(other.open_folder(folder.id).handle, BLOB) == b"for the folder"


@pytest.mark.covers("MS-OXCPRPT_R632", "MS-OXCPRPT_R633")
def test_writing_with_a_commit_is_not_for_folders(desk: Desk, inbox: Folder) -> None:
    folder = desk.create_folder(inbox, "not written").handle
    stream, _ = desk.open_stream(folder, BLOB, CREATE)
    assert desk.write_and_commit(stream, b"nothing", expect=NOT_SUPPORTED) == 0
    assert desk.stream_size(stream) == 0
    for other in (folder, desk.logon):
        reader, _ = desk.batch(b"\x90\0\0\1\0a", other)
        assert (reader.u8(), reader.u8(), reader.u32(), reader.u16()) == (0x90, 0, NOT_SUPPORTED, 0)
        reader.end()


@pytest.mark.covers("MS-OXCPRPT_R30401001", "MS-OXCPRPT_R30401003", "MS-OXCPRPT_R30401011")
def test_extended_writing(desk: Desk, message: int, stream: int) -> None:
    assert desk.write_extended(stream, b"extended") == 8
    desk.commit(stream)
    assert desk.one(message, BLOB) == b"extended"


@pytest.mark.covers("MS-OXCPRPT_R80506", "MS-OXCPRPT_R805", "MS-OXCPRPT_R812", "MS-OXCPRPT_R39301")
def test_writing_with_a_commit(desk: Desk, message: int, stream: int) -> None:
    assert desk.write_and_commit(stream, b"both") == 4
    assert desk.one(message, BLOB) == b"both"


def test_a_string_is_written_as_it_is_typed(desk: Desk, inbox: Folder, message: int) -> None:
    stream, _ = desk.open_stream(message, tags.BODY, CREATE)
    desk.write(stream, "Text ☃".encode("utf-16-le"))
    desk.commit(stream)
    opened = desk.opened(inbox, desk.save(message))
    assert desk.one(opened, tags.BODY) == "Text ☃"


def test_an_html_body_is_written(desk: Desk, inbox: Folder, message: int) -> None:
    html = b"<html><body><p>Hello <b>there</b></p></body></html>"
    stream, _ = desk.open_stream(message, tags.HTML, CREATE)
    desk.write(stream, html)
    desk.commit(stream)
    opened = desk.opened(inbox, desk.save(message))
    assert desk.one(opened, tags.HTML) == html
    assert desk.one(opened, tags.NATIVE_BODY) == 3
    assert "Hello there" in desk.one(opened, tags.BODY)


# size and position


@pytest.mark.covers("MS-OXCPRPT_R575", "MS-OXCPRPT_R308", "MS-OXCPRPT_R32003", "MS-OXCPRPT_R57705",
                    "MS-OXCPRPT_R57706", "MS-OXCPRPT_R57707")  # fmt: skip
def test_the_size_is_told_and_set(desk: Desk, message: int, stream: int) -> None:
    assert desk.stream_size(stream) == 0
    desk.write(stream, b"0123456789")
    assert desk.stream_size(stream) == 10
    desk.resize(stream, 4)
    assert desk.stream_size(stream) == 4
    desk.resize(stream, 8)
    assert desk.stream_size(stream) == 8
    desk.seek(stream, BEGINNING, 0)
    assert desk.read(stream, 100) == b"0123\0\0\0\0"


@pytest.mark.covers("MS-OXCPRPT_R581", "MS-OXCPRPT_R341", "MS-OXCPRPT_R330")
def test_seeking_from_three_origins(desk: Desk, stream: int) -> None:
    desk.write(stream, b"0123456789")
    assert desk.seek(stream, BEGINNING, 3) == 3
    assert desk.read(stream, 2) == b"34"
    assert desk.seek(stream, CURRENT, 2) == 7
    assert desk.seek(stream, CURRENT, -4) == 3
    assert desk.seek(stream, END, -1) == 9
    assert desk.read(stream, 5) == b"9"
    assert desk.seek(stream, END, 0) == 10


@pytest.mark.covers("MS-OXCPRPT_R582", "MS-OXCPRPT_R584", "MS-OXCPRPT_R894")
@pytest.mark.parametrize(
    ("origin", "offset"),
    [
        (BEGINNING, -1),
        (CURRENT, -6),
        (END, -6),
        (BEGINNING, GIGABYTES + 1),
        (END, GIGABYTES),
        (CURRENT, 1 << 62),
    ],
)
def test_seeking_outside_fails(desk: Desk, stream: int, origin: int, offset: int) -> None:
    desk.write(stream, b"12345")
    desk.seek(stream, origin, offset, expect=STREAM_SEEK)
    assert desk.seek(stream, CURRENT, 0) == 5


@pytest.mark.covers("MS-OXCPRPT_R902", "MS-OXCPRPT_R903")
@pytest.mark.parametrize("origin", [3, 4, 0xFF])
def test_an_unknown_origin_is_invalid(desk: Desk, stream: int, origin: int) -> None:
    desk.seek(stream, origin, 0, expect=STREAM_INVALID)


@pytest.mark.covers("MS-OXCPRPT_R583")
def test_seeking_behind_the_end_fills_with_zeros(desk: Desk, message: int, stream: int) -> None:
    desk.write(stream, b"ab")
    assert desk.seek(stream, BEGINNING, 5) == 5
    assert desk.stream_size(stream) == 5
    desk.write(stream, b"c")
    desk.commit(stream)
    assert desk.one(message, BLOB) == b"ab\0\0\0c"


@pytest.mark.covers("MS-OXCPRPT_R321")
@pytest.mark.parametrize("size", [GIGABYTES + 1, 1 << 40, (1 << 64) - 1])
def test_a_stream_has_a_biggest_size(desk: Desk, stream: int, size: int) -> None:
    desk.resize(stream, size, expect=STREAM_SIZE)
    assert desk.stream_size(stream) == 0


# between streams


@pytest.mark.covers("MS-OXCPRPT_R592", "MS-OXCPRPT_R591", "MS-OXCPRPT_R342", "MS-OXCPRPT_R34702",
                    "MS-OXCPRPT_R34902", "MS-OXCPRPT_R59201")  # fmt: skip
def test_bytes_are_copied_between_streams(desk: Desk, inbox: Folder, stream: int) -> None:
    desk.write(stream, b"0123456789")
    desk.seek(stream, BEGINNING, 2)
    other = desk.create_message(inbox)
    destination, _ = desk.open_stream(other, BLOB, CREATE)
    desk.write(destination, b"abc")
    assert desk.copy_stream(stream, destination, 5) == (5, 5)
    assert desk.read(stream, 1) == b"7"
    assert desk.seek(destination, CURRENT, 0) == 8
    assert desk.copy_stream(stream, destination, 1000) == (2, 2)
    desk.commit(destination)
    assert desk.one(other, BLOB) == b"abc2345689"


@pytest.mark.covers("MS-OXCPRPT_R593", "MS-OXCPRPT_R895", "MS-OXCPRPT_R351", "MS-OXCROPS_R3410",
                    "MS-OXCROPS_R3414")  # fmt: skip
def test_copying_into_nothing(desk: Desk, stream: int) -> None:
    desk.write(stream, b"0123456789")
    desk.seek(stream, BEGINNING, 0)
    assert desk.copy_stream(stream, NONE, 5, expect=NULL_DESTINATION) == (0, 0)


@pytest.mark.covers("MS-OXCPRPT_R756", "MS-OXCPRPT_R757", "MS-OXCPRPT_R758", "MS-OXCPRPT_R759",
                    "MS-OXCPRPT_R395", "MS-OXCPRPT_R75606")  # fmt: skip
def test_a_clone_has_the_bytes_and_a_place_of_its_own(desk: Desk, stream: int) -> None:
    desk.write(stream, b"0123456789")
    desk.seek(stream, BEGINNING, 4)
    clone = desk.clone(stream)
    assert desk.read(clone, 2) == b"45"
    assert desk.read(stream, 2) == b"45"
    desk.seek(clone, BEGINNING, 0)
    desk.write(clone, b"ab")
    desk.seek(stream, BEGINNING, 0)
    assert desk.read(stream, 3) == b"ab2"


@pytest.mark.covers("MS-OXCPRPT_R75001", "MS-OXCPRPT_R75101")
def test_regions_are_not_locked(desk: Desk, stream: int) -> None:
    desk.write(stream, b"0123456789")
    desk.lock_region(stream, 0, 5, expect=NOT_IMPLEMENTED)
    desk.unlock_region(stream, 0, 5, expect=NOT_IMPLEMENTED)
    assert desk.stream_size(stream) == 10


@pytest.mark.covers("MS-OXCPRPT_R278", "MS-OXCPRPT_R298", "MS-OXCPRPT_R306", "MS-OXCPRPT_R309",
                    "MS-OXCPRPT_R323", "MS-OXCPRPT_R331", "MS-OXCPRPT_R343")  # fmt: skip
@pytest.mark.parametrize("kind", ["message", "folder", "logon"])
def test_other_objects_are_no_streams(
    desk: Desk, inbox: Folder, message: int, stream: int, kind: str
) -> None:
    handle = {"message": message, "folder": inbox.handle, "logon": desk.logon}[kind]
    assert desk.read(handle, 10, expect=NOT_SUPPORTED) == b""
    assert desk.write(handle, b"x", expect=NOT_SUPPORTED) == 0
    desk.commit(handle, expect=NOT_SUPPORTED)
    desk.stream_size(handle, expect=NOT_SUPPORTED)
    desk.resize(handle, 1, expect=NOT_SUPPORTED)
    desk.seek(handle, BEGINNING, 0, expect=NOT_SUPPORTED)
    assert desk.copy_stream(handle, stream, 1, expect=NOT_SUPPORTED) == (0, 0)
    assert desk.copy_stream(stream, handle, 1, expect=NOT_SUPPORTED) == (0, 0)


def test_a_released_stream_is_gone(desk: Desk, stream: int) -> None:
    desk.release(stream)
    desk.stream_size(stream, expect=INVALID_OBJECT)
