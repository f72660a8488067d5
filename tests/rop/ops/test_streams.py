"""Streams of properties (MS-OXCPRPT 3.2.5.11 to 3.2.5.24)."""

import random

import pytest

from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.mapi.rows import PropertyError
from appliance.rop import batch
from appliance.rop.ops import (
    clone_stream,
    commit_stream,
    copy_to_stream,
    open_folder,
    open_stream,
    read_stream,
    release,
    seek_stream,
    stream_size,
    write_stream,
)
from appliance.store import blobs
from appliance.store.mailboxes import Special
from appliance.store.store import Store
from tests.rop.kit import Ask, Client, unpack
from tests.rop.mail import deliver
from tests.rop.ops.items import (
    KEEP_RO,
    READ_ONLY,
    create,
    get,
    note,
    opened,
    read,
    save,
    set_,
    stream,
    write,
)
from tests.transport.office import Office

BODY, BODY8 = tags.PidTagBody, tags.PidTagBody & 0xFFFF0000 | 0x1E
HTML = tags.PidTagHtml
RO, RW, CREATE, BEST = range(4)
LARGE = PropertyError(ec.ecMAPIOOM)


def seek(client: Client, handle: int, origin: int, offset: int) -> int:
    request = seek_stream.Request(origin, offset)
    position: int = client.do(seek_stream.ROP, request, on=handle).body.new_position
    return position


def size(client: Client, handle: int) -> int:
    found: int = client.do(stream_size.GET, on=handle).body.stream_size
    return found


@pytest.mark.parametrize("length", [0, 5, 40_000, 65_536, 70_000, 300_001])
@pytest.mark.covers(
    "MS-OXCPRPT_2.2.14.1",
    "MS-OXCPRPT_2.2.14.2",
    "MS-OXCPRPT_2.2.18",
    "MS-OXCPRPT_3.2.5.15",
    "MS-OXCPRPT_R537",
    "MS-OXCPRPT_R885",
    "MS-OXCPRPT_R546",
    "MS-OXCPRPT_R547",
)
def test_text_is_written_in_unicode_and_in_the_code_page(client: Client, length: int) -> None:
    logon = client.logon()
    text = ("Grüße €\r\n" * (length // 9 + 1))[:length]
    for tag, encoding in ((BODY, "utf-16-le"), (BODY8, "cp1252")):
        message = create(client, logon)
        handle = stream(client, message, tag, CREATE)
        write(client, handle, text.encode(encoding))
        client.do(commit_stream.ROP, on=handle)
        mid = save(client, message)
        again = opened(client, logon, mid)
        assert read(client, stream(client, again, BODY)).decode("utf-16-le") == text
        assert read(client, stream(client, again, BODY8)).decode("cp1252") == text
        shown = get(client, again, BODY)
        assert shown == ([text] if len(text) < 10_000 else [LARGE])


@pytest.mark.covers(
    "MS-OXCPRPT_2.2.16",
    "MS-OXCPRPT_2.2.16.1",
    "MS-OXCPRPT_2.2.16.2",
    "MS-OXCPRPT_R55703",
    "MS-OXCPRPT_R560",
    "MS-OXCPRPT_R561",
    "MS-OXCPRPT_R56401",
    "MS-OXCPRPT_R56402",
    "MS-OXCPRPT_R56403",
    "MS-OXCPRPT_R56404",
    "MS-OXCPRPT_R900",
    "MS-OXCPRPT_R901",
)
def test_what_is_written_is_there_without_a_commit(client: Client) -> None:
    logon = client.logon()
    message = create(client, logon)
    handle = stream(client, message, HTML, CREATE)
    write(client, handle, b"<p>small</p>")
    assert get(client, message, HTML) == [b"<p>small</p>"]
    data = b"<p>" + b"x" * 200_000
    seek(client, handle, 0, 0)
    write(client, handle, data)
    assert get(client, message, HTML) == [LARGE]
    client.do(release.ROP, on=handle)
    mid = save(client, message)
    assert read(client, stream(client, opened(client, logon, mid), HTML)) == data
    reader = opened(client, logon, mid, mode=READ_ONLY)
    assert client.ask(open_stream.ROP, open_stream.Request(HTML, RW), on=reader).code == ec.ecAccessDenied
    best = client.do(open_stream.ROP, open_stream.Request(HTML, BEST), on=reader)
    assert best.body.stream_size == len(data)
    refused = client.ask(write_stream.WRITE, write_stream.Request(b"x"), on=best.handle)
    assert (refused.code, refused.body.written_size) == (ec.ecStorageAccessDenied, 0)


@pytest.mark.covers(
    "MS-OXCPRPT_2.2.15",
    "MS-OXCPRPT_2.2.15.1",
    "MS-OXCPRPT_2.2.15.2",
    "MS-OXCPRPT_2.2.19",
    "MS-OXCPRPT_2.2.19.2",
    "MS-OXCPRPT_3.2.5.16",
    "MS-OXCPRPT_R55202",
    "MS-OXCPRPT_R552",
    "MS-OXCPRPT_R555",
    "MS-OXCPRPT_R556",
    "MS-OXCPRPT_R55206",
    "MS-OXCPRPT_R57706",
    "MS-OXCPRPT_R57707",
    "MS-OXCPRPT_R545",
)
def test_random_writing(client: Client) -> None:
    """Against a byte array."""
    chance = random.Random(7)
    logon = client.logon()
    message = create(client, logon)
    handle = stream(client, message, HTML, CREATE)
    model = bytearray()
    for _ in range(120):
        step = chance.randrange(10)
        at = chance.randrange(len(model) + 100_000) if step < 6 else len(model)
        if step == 9:
            at = chance.randrange(len(model) + 1)
            client.do(stream_size.SET, stream_size.SetRequest(at), on=handle)
            del model[at:]
        elif step == 8:
            assert seek(client, handle, 0, min(at, len(model))) == min(at, len(model))
            data = client.do(read_stream.ROP, read_stream.Request(5000), on=handle).body.data
            assert data == model[at : at + 5000]
        else:
            data = chance.randbytes(chance.randrange(30_000))
            assert seek(client, handle, 0, at) == at
            write(client, handle, data)
            model += bytes(max(0, at - len(model)))
            model[at : at + len(data)] = data
        assert size(client, handle) == len(model)
    client.do(commit_stream.ROP, on=handle)
    mid = save(client, message)
    assert read(client, stream(client, opened(client, logon, mid), HTML)) == model


@pytest.mark.covers(
    "MS-OXCPRPT_2.2.20",
    "MS-OXCPRPT_2.2.20.1",
    "MS-OXCPRPT_2.2.21",
    "MS-OXCPRPT_2.2.21.2",
    "MS-OXCPRPT_3.2.5.17",
    "MS-OXCPRPT_3.2.5.18",
    "MS-OXCPRPT_R564",
    "MS-OXCPRPT_R90102",
    "MS-OXCPRPT_R894",
    "MS-OXCPRPT_R903",
    "MS-OXCPRPT_R55706",
    "MS-OXCPRPT_R55707",
)
def test_positions(client: Client) -> None:
    message = create(client, client.logon())
    set_(client, message, {HTML: b"0123456789"})
    handle = stream(client, message, HTML, RW)
    assert (seek(client, handle, 0, 4), read(client, handle, 3)) == (4, b"456789")
    assert seek(client, handle, 1, -5) == 5
    assert seek(client, handle, 2, -1) == 9
    for origin, offset, code in (
        (0, -1, ec.ecStreamSeekError),
        (1, -100, ec.ecStreamSeekError),
        (0, (1 << 31) + 1, ec.ecStreamSeekError),
        (3, 0, ec.ecStreamInvalidParam),
    ):
        assert client.ask(seek_stream.ROP, seek_stream.Request(origin, offset), on=handle).code == code
    assert seek(client, handle, 0, 12) == 12
    assert size(client, handle) == 12
    seek(client, handle, 0, 8)
    assert read(client, handle) == b"89\0\0"
    client.do(stream_size.SET, stream_size.SetRequest(3), on=handle)
    client.do(stream_size.SET, stream_size.SetRequest(5), on=handle)
    seek(client, handle, 0, 0)
    assert read(client, handle) == b"012\0\0"
    too_much = stream_size.SetRequest((1 << 31) + 1)
    assert client.ask(stream_size.SET, too_much, on=handle).code == ec.ecStreamSizeError
    seek(client, handle, 0, 1 << 31)
    reply = client.ask(write_stream.WRITE, write_stream.Request(b"x"), on=handle)
    assert (reply.code, reply.body.written_size) == (ec.ecTooBig, 0)


@pytest.mark.covers(
    "MS-OXCROPS_R80506",
    "MS-OXCROPS_R75606",
)
@pytest.mark.covers(
    "MS-OXCPRPT_3.2.5.23",
    "MS-OXCPRPT_3.2.5.24",
    "MS-OXCPRPT_2.2.17",
    "MS-OXCPRPT_2.2.17.1",
    "MS-OXCPRPT_2.2.17.2",
    "MS-OXCPRPT_R752",
    "MS-OXCPRPT_R753",
    "MS-OXCPRPT_R63201",
    "MS-OXCPRPT_2.2.27",
)
def test_clones_share_bytes_and_not_positions(client: Client) -> None:
    message = create(client, client.logon())
    set_(client, message, {HTML: b"0123456789"})
    handle = stream(client, message, HTML, RW)
    seek(client, handle, 0, 3)
    clone = client.do(clone_stream.ROP, on=handle).handle
    write(client, handle, b"abc")
    assert read(client, clone) == b"abc6789"
    client.do(release.ROP, on=handle)
    seek(client, clone, 0, 0)
    reply = client.do(write_stream.WRITE_AND_COMMIT, write_stream.Request(b"XY"), on=clone)
    assert reply.body.written_size == 2
    assert get(client, message, HTML) == [b"XY2abc6789"]
    extended = client.do(write_stream.EXTENDED, write_stream.Request(b"Z"), on=clone)
    assert extended.body.written_size == 1
    assert get(client, message, HTML) == [b"XYZabc6789"]


@pytest.mark.covers(
    "MS-OXCROPS_R59201",
    "MS-OXCROPS_R8670901",
    "MS-OXCROPS_R3411",
    "MS-OXCROPS_R3415",
)
@pytest.mark.covers(
    "MS-OXCPRPT_2.2.22",
    "MS-OXCPRPT_2.2.22.2",
    "MS-OXCPRPT_3.2.5.19",
    "MS-OXCPRPT_R867091",
    "MS-OXCPRPT_R895",
)
def test_bytes_are_copied_from_stream_to_stream(client: Client) -> None:
    logon = client.logon()
    one, other = create(client, logon), create(client, logon)
    set_(client, one, {HTML: b"0123456789"})
    source, target = stream(client, one, HTML), stream(client, other, HTML, CREATE)
    seek(client, source, 0, 2)
    request = copy_to_stream.Request(5)
    reply = client.do(copy_to_stream.ROP, request, on=source, dest=target)
    assert (reply.body.read_byte_count, reply.body.written_byte_count) == (5, 5)
    reply = client.do(copy_to_stream.ROP, copy_to_stream.Request(1 << 40), on=source, dest=target)
    assert reply.body.read_byte_count == 3
    assert get(client, other, HTML) == [b"23456789"]
    lost = client.ask(copy_to_stream.ROP, request, on=source, dest=4711)
    assert (lost.code, lost.body.read_byte_count) == (ec.ecDstNullObject, 0)
    refused = client.ask(copy_to_stream.ROP, request, on=target, dest=source)
    assert refused.code == ec.ecStorageAccessDenied


@pytest.mark.covers(
    "MS-OXCPRPT_R548",
    "MS-OXCPRPT_R549",
    "MS-OXCPRPT_R891",
    "MS-OXCPRPT_R886",
    "MS-OXCPRPT_R88601",
)
def test_what_has_no_stream(client: Client) -> None:
    logon = client.logon()
    message = create(client, logon)
    for tag, mode, code in (
        (HTML, RO, ec.ecNotFound),
        (HTML, RW, ec.ecNotFound),
        (HTML, BEST, ec.ecNotFound),
        (tags.PidTagImportance, RO, ec.ecNotSupported),
        (HTML, 7, ec.ecInvalidParam),
        (tags.PidTagSearchKey, CREATE, ec.ecComputed),
    ):
        assert client.ask(open_stream.ROP, open_stream.Request(tag, mode), on=message).code == code
    reply = client.ask(read_stream.ROP, read_stream.Request(5), on=message)
    assert (reply.code, reply.body.data) == (ec.ecNotSupported, b"")


@pytest.mark.covers(
    "MS-OXCROPS_R321501",
)
@pytest.mark.covers(
    "MS-OXCPRPT_R55205",
)
def test_reading_by_maximum_goes_over_several_buffers(client: Client) -> None:
    logon = client.logon()
    message = create(client, logon)
    data = random.Random(1).randbytes(150_000)
    write(client, stream(client, message, HTML, CREATE), data)
    save(client, message)
    handle = stream(client, message, HTML)
    ask = Ask(read_stream.ROP, read_stream.Request(read_stream.BY_MAXIMUM, 100_000))
    buffers = client.raw(batch.pack(ask.pack(), [handle]), 200_000, chain=True)
    assert len(buffers) > 1
    got = b"".join(unpack(each, [ask]).replies[0].body.data for each in buffers)
    assert got == data[:100_000]
    (rest,) = client.raw(batch.pack(ask.pack(), [handle]), 0x7000, chain=False)
    assert unpack(rest, [ask]).replies[0].body.data == data[100_000 : 100_000 + 0x7000 - 14]
    wrong = Ask(read_stream.ROP, read_stream.Request(read_stream.BY_MAXIMUM, 0x80000001))
    with pytest.raises(MapiError) as caught:
        client.raw(batch.pack(wrong.pack(), [handle]))
    assert caught.value.code == ec.ecRpcFormat


def test_a_mail_s_body_is_streamed_and_replaced(client: Client, office: Office) -> None:
    body = b"Line of text\r\n" * 9000
    row = deliver(office, client.user, b"From: b@x.test\r\nSubject: S\r\n\r\n" + body)
    logon = client.logon()
    message = opened(client, logon, row.mid, Special.INBOX)
    assert get(client, message, BODY) == [LARGE]
    assert read(client, stream(client, message, BODY8)) == body
    handle = stream(client, message, BODY8, CREATE)
    write(client, handle, b"short")
    save(client, message, KEEP_RO)
    assert get(client, opened(client, logon, row.mid, Special.INBOX), BODY) == ["short"]


def test_a_client_that_goes_away_leaves_nothing(client: Client, store: Store) -> None:
    logon = client.logon()
    message = create(client, logon)
    data = random.Random(3).randbytes(3_000_000)
    write(client, stream(client, message, HTML, CREATE), data)
    taken = create(client, logon)
    handle = stream(client, taken, HTML, CREATE)
    write(client, handle, data[::-1])
    client.do(commit_stream.ROP, on=handle)
    client.session.close()
    assert store.blob_room._held == 0
    store.write(lambda txn: None).result()
    with store.read() as txn:
        assert blobs.leased(txn) == set()


def test_streams_of_a_note(client: Client) -> None:
    logon = client.logon()
    mid = note(client, logon, PidTagBody="text")
    handle = stream(client, opened(client, logon, mid), BODY, RW)
    client.do(stream_size.SET, stream_size.SetRequest(4), on=handle)
    assert read(client, handle) == "te".encode("utf-16-le")


@pytest.mark.covers("MS-OXCPRPT_R56405")
def test_a_folder_s_value_is_stored_by_a_commit_or_a_release(client: Client, store: Store) -> None:
    logon = client.logon()
    request = open_folder.Request(Special.DRAFTS, open_folder.OpenModeFlags(0))
    folder = client.do(open_folder.ROP, request, on=logon).handle
    tag = tags.PidTagComment
    for text, ending in (("committed", commit_stream.ROP), ("released", release.ROP)):
        handle = stream(client, folder, tag, CREATE)
        write(client, handle, text.encode("utf-16-le"))
        client.do(ending, on=handle)
        store.write(lambda txn: None).result()
        assert get(client, folder, tag) == [text]


def test_a_stream_onto_itself_ends(client: Client) -> None:
    message = create(client, client.logon())
    set_(client, message, {HTML: b"0123456789"})
    itself = stream(client, message, HTML, RW)
    reply = client.do(copy_to_stream.ROP, copy_to_stream.Request(1 << 40), on=itself, dest=itself)
    assert reply.body.read_byte_count == reply.body.written_byte_count == 10
    assert size(client, itself) == 20
    seek(client, itself, 0, 0)
    clone = client.do(clone_stream.ROP, on=itself).handle
    seek(client, clone, 0, 5)
    client.do(copy_to_stream.ROP, copy_to_stream.Request(1 << 40), on=itself, dest=clone)
    assert size(client, itself) == 25
