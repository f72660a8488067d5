"""MS-OXCFXICS: FastTransfer downloads in every form, byte by byte."""

import struct
from collections.abc import Callable, Iterator

import pytest

from tests.conformance import fxdesk, fxgrammar, fxrops, fxstream
from tests.conformance.fxcases import ATTACH_DATA, ATTACH_NAME, rich_message
from tests.conformance.fxdesk import BODY, CLASS, INVALID_PARAMETER, NONE, NULL_OBJECT, OK, SUBJECT, Desk
from tests.conformance.fxrops import DONE, FORCE_UNICODE, UNICODE, USE_CPID, Buffer
from tests.conformance.office import Person
from tests.conformance.wire import Reader, Value

RECIPIENTS, ATTACHMENTS = 0x0E12000D, 0x0E13000D
EMBEDDED = 0x3701000D
PUBLIC_STRINGS = bytes.fromhex("2903020000000000C000000000000046")
COMMON = bytes.fromhex("0820060000000000C000000000000046")


@pytest.fixture
def desk(anna: Person) -> Iterator[Desk]:
    """Anna at her desk."""
    made = fxdesk.desk(anna)
    yield made
    made.mapi.close()


def test_copy_to_of_a_message_has_everything_in_order(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    message = desk.open_message(inbox, rich_message(desk, inbox))
    content = fxgrammar.message_content(fxrops.source(desk, fxrops.copy_to(), message))
    assert content.props.get(SUBJECT) == "Grüße"
    assert content.props.get(BODY) == "The body"
    assert content.deletes == [RECIPIENTS, ATTACHMENTS], "R2276: filters could have an effect"
    assert [each.get(0x39FE001F) or each.get(0x3003001F) for each in content.recipients] == [
        "ben@example.test",
        "clara@example.test",
    ]
    assert [each.number for each in content.attachments] == [0, 1]
    first, second = content.attachments
    assert first.props.get(ATTACH_DATA) == bytes(range(256))
    assert first.embedded is None
    assert second.embedded is not None
    assert second.embedded.props.get(SUBJECT) == "Inner"
    assert len(second.embedded.recipients) == 1


@pytest.mark.covers("MS-OXCFXICS_R3786")
def test_nothing_from_the_provider_s_range_is_downloaded(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    message = desk.open_message(inbox, rich_message(desk, inbox))
    content = fxgrammar.message_content(fxrops.source(desk, fxrops.copy_to(), message))
    inner = content.attachments[1].embedded
    assert inner is not None
    lists = [content.props, inner.props, *content.recipients, *(each.props for each in content.attachments)]
    for listed in lists:
        assert [hex(tag) for tag in listed.tags if 0x6600 <= tag >> 16 <= 0x67FF] == []


@pytest.mark.covers("MS-OXCFXICS_R3441", "MS-OXCFXICS_R367")
def test_level_leaves_subobjects_out(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    message = desk.open_message(inbox, rich_message(desk, inbox))
    content = fxgrammar.message_content(fxrops.source(desk, fxrops.copy_to(level=1), message))
    assert (content.recipients, content.attachments, content.deletes) == ([], [], [])
    assert content.props.get(SUBJECT) == "Grüße"


@pytest.mark.covers("MS-OXCFXICS_R3440", "MS-OXCFXICS_R379", "MS-OXCFXICS_R2278", "MS-OXCFXICS_R150")
@pytest.mark.parametrize("left_out", [RECIPIENTS, ATTACHMENTS])
def test_copy_to_leaves_out_what_is_listed(desk: Desk, left_out: int) -> None:
    inbox = desk.folders["inbox"]
    message = desk.open_message(inbox, rich_message(desk, inbox))
    buffers = fxrops.source(desk, fxrops.copy_to(tags=[left_out, SUBJECT]), message)
    content = fxgrammar.message_content(buffers)
    assert SUBJECT not in content.props
    assert (content.recipients == []) == (left_out == RECIPIENTS)
    assert (content.attachments == []) == (left_out == ATTACHMENTS)
    assert content.deletes == [each for each in (RECIPIENTS, ATTACHMENTS) if each != left_out]
    if content.attachments:
        inner = content.attachments[1].embedded
        assert inner is not None
        assert inner.props.get(SUBJECT) == "Inner", "R380: descendants are not filtered"


@pytest.mark.covers("MS-OXCFXICS_R3783", "MS-OXCFXICS_R450", "MS-OXCFXICS_R451", "MS-OXCFXICS_R3464")
def test_copy_properties_has_what_is_listed(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    message = desk.open_message(inbox, rich_message(desk, inbox))
    content = fxgrammar.message_content(fxrops.source(desk, fxrops.copy_properties([SUBJECT]), message))
    assert content.props.tags == [SUBJECT]
    assert (content.recipients, content.attachments) == ([], [])
    buffers = fxrops.source(desk, fxrops.copy_properties([SUBJECT, ATTACHMENTS]), message)
    content = fxgrammar.message_content(buffers)
    assert content.props.tags == [SUBJECT]
    assert len(content.attachments) == 2
    assert content.deletes == [ATTACHMENTS]
    inner = content.attachments[1].embedded
    assert inner is not None
    assert inner.props.get(BODY) == "Within", "R451"
    assert len(inner.recipients) == 1


@pytest.mark.covers("MS-OXCFXICS_R3465", "MS-OXCFXICS_R437")
def test_copy_properties_with_a_level_has_no_subobjects(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    message = desk.open_message(inbox, rich_message(desk, inbox))
    rop = fxrops.copy_properties([SUBJECT, ATTACHMENTS, RECIPIENTS], level=1)
    content = fxgrammar.message_content(fxrops.source(desk, rop, message))
    assert content.props.tags == [SUBJECT]
    assert (content.recipients, content.attachments, content.deletes) == ([], [], [])


@pytest.mark.covers("MS-OXCFXICS_R370", "MS-OXCFXICS_R369001", "MS-OXCFXICS_R441001", "MS-OXCFXICS_R441")
@pytest.mark.parametrize("make", [fxrops.copy_to, lambda level: fxrops.copy_properties([EMBEDDED], level)])
def test_the_level_of_an_attachment_is_ignored(desk: Desk, make: object) -> None:
    assert callable(make)
    inbox = desk.folders["inbox"]
    message = desk.open_message(inbox, rich_message(desk, inbox))
    attachment = desk.open_attachment(message, 1)
    streams = [fxrops.source(desk, make(level=level), attachment) for level in (0, 1)]
    assert streams[0] == streams[1]
    content = fxgrammar.attachment_content(streams[0])
    assert content.embedded is not None
    assert content.embedded.props.get(SUBJECT) == "Inner"


@pytest.mark.covers("MS-OXCFXICS_R151", "MS-OXCFXICS_R1053", "MS-OXCFXICS_R1054")
def test_copy_to_of_an_attachment_may_leave_the_message_within_out(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    message = desk.open_message(inbox, rich_message(desk, inbox))
    attachment = desk.open_attachment(message, 1)
    found = fxgrammar.attachment_content(fxrops.source(desk, fxrops.copy_to(tags=[EMBEDDED]), attachment))
    assert found.embedded is None
    assert found.props.get(ATTACH_NAME) == "inner"
    first = desk.open_attachment(message, 0)
    found = fxgrammar.attachment_content(fxrops.source(desk, fxrops.copy_to(tags=[ATTACH_NAME]), first))
    assert ATTACH_NAME not in found.props
    assert found.props.get(ATTACH_DATA) == bytes(range(256))


STRINGS = [
    (0, 0x0037001E),
    (UNICODE, SUBJECT),
    (FORCE_UNICODE, SUBJECT),
    (UNICODE | FORCE_UNICODE, SUBJECT),
    (USE_CPID, 0x003784B0),
    (USE_CPID | UNICODE, 0x003784B0),
    (USE_CPID | FORCE_UNICODE, 0x003784B0),
    (USE_CPID | UNICODE | FORCE_UNICODE, 0x003784B0),
]


@pytest.mark.covers(
    "MS-OXCFXICS_R3447",
    "MS-OXCFXICS_R3449",
    "MS-OXCFXICS_R3451",
    "MS-OXCFXICS_R3452",
    "MS-OXCFXICS_R3453",
    "MS-OXCFXICS_R3455",
    "MS-OXCFXICS_R3456",
    "MS-OXCFXICS_R3457",
    "MS-OXCFXICS_R3459",
    "MS-OXCFXICS_R3782",
    "MS-OXCFXICS_R3257",
    "MS-OXCFXICS_R3258",
    "MS-OXCFXICS_R992",
    "MS-OXCFXICS_R3259",
    "MS-OXCFXICS_R325901",
    "MS-OXCFXICS_R995",
)
@pytest.mark.parametrize(("options", "tag"), STRINGS)
def test_the_type_of_strings_follows_the_options(desk: Desk, options: int, tag: int) -> None:
    inbox = desk.folders["inbox"]
    message = desk.open_message(inbox, rich_message(desk, inbox))
    content = fxgrammar.message_content(fxrops.source(desk, fxrops.copy_to(options=options), message))
    value = content.props.get(tag)
    assert value == ("Grüße".encode("cp1252") if tag == 0x0037001E else "Grüße")
    strings = {each & 0xFFFF for each in content.props.tags if each & 0x0FFF in (0x1E, 0x1F) or each & 0x8000}
    assert strings <= {tag & 0xFFFF}
    for recipient in content.recipients:
        kinds = {each & 0xFFFF for each in recipient.tags if each & 0x0FFF in (0x1E, 0x1F) or each & 0x8000}
        assert kinds == {tag & 0xFFFF}


@pytest.mark.covers("MS-OXCFXICS_R2740", "MS-OXCFXICS_R990", "MS-OXCFXICS_R987", "MS-OXCFXICS_R985")
def test_every_type_and_kind_of_name(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    names: list[tuple[bytes, int | str]] = [(COMMON, 0x8501), (PUBLIC_STRINGS, "Keywords"), (COMMON, 0x8503)]
    number, words, flag = desk.named_ids(names)
    message = desk.create_message(inbox)
    values: dict[int, Value] = {
        CLASS: "IPM.Note",
        number << 16 | 3: 15,
        words << 16 | 0x101F: ["one", "zwei"],
        flag << 16 | 0xB: True,
        0x00170003: 2,
        0x00390040: 0x01DA000000000000,
        0x6001000B: False,
        0x60020014: -5,
        0x60030048: bytes(range(16)),
        0x60040005: 2.5,
        0x60050002: -2,
        0x60061102: [b"", b"abc"],
        0x60071003: [1, 2, 3],
        0x60080102: b"",
        0x6009001F: "",
        0x600A0006: 12345,
        0x600B0007: 3.25,
        0x600C0004: 0.5,
        0x600D1014: [],
        0x600E1040: [1, 2],
        0x600F1048: [bytes(16), bytes(range(16))],
    }
    desk.set(message, values)
    mid = desk.save(message)
    message = desk.open_message(inbox, mid)
    content = fxgrammar.message_content(fxrops.source(desk, fxrops.copy_to(), message))
    assert content.props.named(names[0]) == 15
    assert content.props.named(names[1]) == ["one", "zwei"]
    assert content.props.named(names[2]) is True
    for tag, value in values.items():
        if tag >> 16 < 0x8000:
            assert content.props.get(tag) == value, hex(tag)


@pytest.mark.covers("MS-OXCFXICS_R981", "MS-OXCFXICS_R982", "MS-OXCFXICS_R3253", "MS-OXCFXICS_R2142")
@pytest.mark.parametrize("size", [20, 33, 100, 1000])
def test_small_buffers_are_cut_where_they_may_be(desk: Desk, size: int) -> None:
    inbox = desk.folders["inbox"]
    message = desk.open_message(inbox, rich_message(desk, inbox))
    whole = fxrops.source(desk, fxrops.copy_to(), message)
    for buffers in (
        fxrops.source(desk, fxrops.copy_to(), message, size=size),
        fxrops.source(desk, fxrops.copy_to(), message, most=size),
    ):
        assert b"".join(buffers) == b"".join(whole)
        assert len(buffers) > 1
        fxstream.elements(buffers)


def bulky(desk: Desk, fid: bytes) -> bytes:
    """A message of more than one buffer."""
    message = desk.create_message(fid)
    desk.set(message, {CLASS: "IPM.Note", 0x60000102: bytes(30000)})
    desk.set(message, {0x60010102: bytes(30000)})
    return desk.save(message)


@pytest.mark.covers("MS-OXCFXICS_R2141001", "MS-OXCFXICS_R2138")
def test_a_buffer_that_cannot_be_held_is_refused_before(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    mid = bulky(desk, inbox)
    context = desk.must(fxrops.copy_to(), [desk.open_message(inbox, mid), NONE]).out
    rop = fxrops.get_buffer(0x5000)
    responses, _ = desk.mapi.execute(rop + rop, [context], 0x8008)
    reader = Reader(responses)
    assert reader.take(6) == struct.pack("<BBI", 0x4E, 0, 0)
    first = fxrops.parse_buffer(reader)
    assert (first.status, len(first.data)) == (fxrops.PARTIAL_STATUS, 0x5000)
    assert (reader.u8(), reader.u16() >= 0x5000) == (0xFF, True), "RopBufferTooSmall"
    assert reader.rest() == rop, "the requests that were not run"
    buffers = [first.data, *fxrops.download(desk, context)]
    content = fxgrammar.message_content(buffers)
    assert content.props.get(0x60000102) == bytes(30000), "nothing was lost"
    assert content.props.get(0x60010102) == bytes(30000)


def test_the_room_of_the_output_limits_an_automatic_buffer(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    mid = bulky(desk, inbox)
    context = desk.must(fxrops.copy_to(), [desk.open_message(inbox, mid), NONE]).out
    rop = fxrops.get_buffer(0xBABE, 0x5000)
    responses, _ = desk.mapi.execute(rop + rop, [context], 0x8008)
    reader, found = Reader(responses), []
    for _ in range(2):
        assert reader.take(6) == struct.pack("<BBI", 0x4E, 0, 0)
        found.append(fxrops.parse_buffer(reader))
    assert len(found[0].data) == 0x5000
    assert 0x2000 < len(found[1].data) < 0x3000, "what was left of the output"
    assert found[1].status == fxrops.PARTIAL_STATUS


@pytest.mark.covers("MS-OXCFXICS_R571", "MS-OXCFXICS_R546")
def test_a_download_that_is_done_stays_done_or_fails(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    message = desk.open_message(inbox, rich_message(desk, inbox))
    context = desk.must(fxrops.copy_to(), [message, NONE]).out
    fxrops.download(desk, context)
    answer = desk.call(fxrops.get_buffer(), [context], fxrops.parse_buffer, always=True)
    if answer.code == OK:
        assert isinstance(answer.value, Buffer)
        assert (answer.value.status, answer.value.data) == (DONE, b"")


CONFIGURATIONS: dict[str, tuple[Callable[[int, int], bytes], int]] = {
    "CopyTo": (lambda flags, options: fxrops.copy_to(0, flags, options), 0x1000),
    "CopyProperties": (lambda flags, options: fxrops.copy_properties([SUBJECT], 0, flags, options), 0x40),
    "CopyFolder": (lambda flags, options: fxrops.copy_folder(flags, options), 0x80),
}


@pytest.mark.covers(
    "MS-OXCFXICS_R2096",
    "MS-OXCFXICS_R2101",
    "MS-OXCFXICS_R2105",
    "MS-OXCFXICS_R2111",
    "MS-OXCFXICS_R2131",
    "MS-OXCFXICS_R2134",
    "MS-OXCFXICS_R3445",
    "MS-OXCFXICS_R3463",
    "MS-OXCFXICS_R3466",
    "MS-OXCFXICS_R3470",
    "MS-OXCFXICS_R3483",
    "MS-OXCFXICS_R3487",
)
@pytest.mark.parametrize("name", sorted(CONFIGURATIONS))
def test_unknown_flags_are_refused(desk: Desk, name: str) -> None:
    make, unknown = CONFIGURATIONS[name]
    inbox = desk.folders["inbox"]
    folder = desk.open_folder(inbox)
    handle = folder if name == "CopyFolder" else desk.open_message(inbox, rich_message(desk, inbox))
    assert desk.call(make(unknown, UNICODE), [handle, NONE]).code == INVALID_PARAMETER
    assert desk.call(make(0, 0x80), [handle, NONE]).code == INVALID_PARAMETER
    assert desk.call(make(0, UNICODE), [handle, NONE]).code == OK


@pytest.mark.covers("MS-OXCFXICS_R2120", "MS-OXCFXICS_R3479")
def test_unknown_send_options_of_copy_messages_are_refused(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    folder, mid = desk.open_folder(inbox), rich_message(desk, inbox)
    assert desk.call(fxrops.copy_messages([mid], 0, 0x80), [folder, NONE]).code == INVALID_PARAMETER


@pytest.mark.covers(
    "MS-OXCFXICS_R2707",
    "MS-OXCFXICS_R2708",
    "MS-OXCFXICS_R2709",
    "MS-OXCFXICS_R2710",
    "MS-OXCFXICS_R2711",
    "MS-OXCFXICS_R42002",
    "MS-OXCFXICS_R42202",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R397",
    "MS-OXCFXICS_R398",
    "MS-OXCFXICS_R399",
    "MS-OXCFXICS_R400",
    "MS-OXCFXICS_R401",
    "MS-OXCFXICS_R42001",
    "MS-OXCFXICS_R42201",
)
def test_unused_flags_of_copy_to_are_ignored(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    message = desk.open_message(inbox, rich_message(desk, inbox))
    plain = fxrops.source(desk, fxrops.copy_to(), message)
    for flag in (0x02, 0x04, 0x08, 0x200, 0x400):
        assert fxrops.source(desk, fxrops.copy_to(0, flag), message) == plain, hex(flag)
    for option in (0x20, 0x40):
        assert fxrops.source(desk, fxrops.copy_to(0, 0, UNICODE | option), message) == plain, hex(option)


@pytest.mark.covers(
    "MS-OXCFXICS_R2712",
    "MS-OXCFXICS_R2713",
    "MS-OXCFXICS_R2714",
    "MS-OXCFXICS_R2715",
    "MS-OXCFXICS_R2716",
    "MS-OXCFXICS_R469",
    "MS-OXCFXICS_R470",
    "MS-OXCFXICS_R471",
)
@pytest.mark.covers("MS-OXCFXICS_R496", "MS-OXCFXICS_R497")
def test_unused_flags_of_copy_properties_and_messages_are_ignored(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    mid = rich_message(desk, inbox)
    message, folder = desk.open_message(inbox, mid), desk.open_folder(inbox)
    plain = fxrops.source(desk, fxrops.copy_properties([SUBJECT]), message)
    for flag in (0x02, 0x04, 0x08):
        assert fxrops.source(desk, fxrops.copy_properties([SUBJECT], 0, flag), message) == plain
    listed = fxrops.source(desk, fxrops.copy_messages([mid]), folder)
    for flag in (0x02, 0x04):
        assert fxrops.source(desk, fxrops.copy_messages([mid], flag), folder) == listed


@pytest.mark.covers("MS-OXCFXICS_R3442003", "MS-OXCFXICS_R3442001")
def test_copy_to_does_not_move(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    message = desk.open_message(inbox, rich_message(desk, inbox))
    assert desk.call(fxrops.copy_to(0, 1), [message, NONE]).code == INVALID_PARAMETER


@pytest.mark.parametrize(
    "make",
    [
        fxrops.copy_folder,
        lambda: fxrops.copy_messages([]),
        lambda: fxrops.configure(),
        lambda: fxrops.collector(),
    ],
)
def test_folders_alone_are_sources_of_folders(desk: Desk, make: object) -> None:
    assert callable(make)
    inbox = desk.folders["inbox"]
    message = desk.open_message(inbox, rich_message(desk, inbox))
    assert desk.call(make(), [message, NONE]).code == fxdesk.NOT_SUPPORTED
    assert desk.call(make(), [NONE, NONE]).code == NULL_OBJECT


def test_a_buffer_of_what_is_not_a_download(desk: Desk) -> None:
    folder = desk.open_folder(desk.folders["inbox"])
    for handle, code in ((folder, fxdesk.NOT_SUPPORTED), (NONE, NULL_OBJECT)):
        answer = desk.call(fxrops.get_buffer(), [handle], fxrops.parse_buffer, always=True)
        assert answer.code == code
        assert answer.value == Buffer(0, 0, 0, b""), "R566"


@pytest.mark.covers("MS-OXCFXICS_R572", "MS-OXCFXICS_R2149", "MS-OXCFXICS_R577")
def test_tell_version_on_both_kinds_of_context(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    message = desk.open_message(inbox, rich_message(desk, inbox))
    down = desk.must(fxrops.copy_to(0, 0, UNICODE | USE_CPID), [message, NONE]).out
    target = desk.create_message(inbox)
    up = desk.must(fxrops.destination(1), [target, NONE]).out
    assert desk.call(fxrops.tell_version(), [down]).code == OK
    assert desk.call(fxrops.tell_version(), [up]).code == OK
    assert desk.call(fxrops.tell_version(), [NONE]).code == NULL_OBJECT


def test_a_source_that_was_released_can_still_be_read(desk: Desk) -> None:
    inbox = desk.folders["inbox"]
    message = desk.open_message(inbox, rich_message(desk, inbox))
    context = desk.must(fxrops.copy_to(), [message, NONE]).out
    desk.release(message)
    assert fxgrammar.message_content(fxrops.download(desk, context)).props.get(SUBJECT) == "Grüße"


@pytest.mark.covers("MS-OXCFXICS_R2115", "MS-OXCFXICS_R211501")
@pytest.mark.parametrize("flags", [0x2000, 0x0000])
def test_bodies_in_their_original_form(desk: Desk, flags: int) -> None:
    """BestBody of CopyTo: the one that was written alone, and nothing made of it, within as well."""
    html = b"<html><body>Hello</body></html>"
    message = desk.create_message(desk.folders["inbox"])
    values: dict[int, Value] = {CLASS: "IPM.Note", SUBJECT: "html", 0x10130102: html, 0x10160003: 3}
    desk.set(message, values)
    attachment = desk.create_attachment(message)
    desk.set(attachment, {0x37050003: 5, 0x3707001F: "inner"})
    inner = desk.embed(attachment)
    desk.set(inner, values)
    desk.save(inner)
    desk.save_attachment(message, attachment)
    desk.save(message)
    found = fxgrammar.message_content(fxrops.source(desk, fxrops.copy_to(flags=flags), message))
    (within,) = found.attachments
    assert within.embedded is not None
    for each in (found.props, within.embedded.props):
        assert each.get(0x10130102) == html
        if flags:
            assert not {0x1000001F, 0x10090102} & set(each.tags)
