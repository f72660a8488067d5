"""FastTransfer there and back: what is downloaded and uploaded again is the same object."""

from typing import Any

import pytest

from appliance.directory.model import Entry
from appliance.formats import fasttransfer as fx
from appliance.formats.fasttransfer.markers import Marker
from appliance.mapi import errors as ec
from appliance.mapi import names as mapi_names
from appliance.mapi import tags
from appliance.mapi.types import Value
from appliance.mapi.values import rop_form
from appliance.rop.fasttransfer.pen import SendOptions
from appliance.rop.ops import (
    create_attachment,
    create_message,
    open_attachment,
    open_message,
    save_changes_message,
    set_properties,
    tell_version,
)
from appliance.rop.ops import fast_transfer_destination as destination
from appliance.rop.ops import fast_transfer_source_copy as source
from appliance.rop.ops.fast_transfer_source_copy import CopyFlags
from appliance.rop.ops.save_changes_message import SaveFlags
from appliance.store import drafts, folders, names
from appliance.store.contents import Row, RowFlag
from appliance.store.drafts import Overlay
from appliance.store.mailboxes import Special
from tests.rop.fasttransfer.parsing import FolderItem, Item, Parser
from tests.rop.ics.making import SESSION, Maker
from tests.rop.ics.replica import open_, pull, wire
from tests.rop.kit import Client, Reply

UNICODE = SendOptions.UNICODE
SUBSETS = {"recipients": 0x0E12000D, "attachments": 0x0E13000D}


@pytest.fixture
def maker(client: Client, anna: Entry) -> Maker:
    return Maker(client.engine.store, anna)


@pytest.fixture
def logon(client: Client) -> int:
    return client.logon()


def open_mid(client: Client, logon: int, row: Row, mode: int = 0) -> int:
    request = open_message.Request(0x0FFF, row.fid, open_message.OpenModeFlags(mode), row.mid)
    return client.do(open_message.ROP, request, on=logon).handle


def copy_to(
    client: Client,
    handle: int,
    *excluded: int,
    level: int = 0,
    flags: CopyFlags = CopyFlags.NONE,
    options: SendOptions = UNICODE,
) -> bytes:
    request = source.CopyToRequest(level, flags, options, excluded)
    return pull(client, client.do(source.COPY_TO, request, on=handle).handle)


def configure(client: Client, handle: int, operation: int) -> Reply:
    request = destination.ConfigureRequest(operation, destination.CopyFlags.NONE)
    return client.ask(destination.CONFIGURE, request, on=handle)


def put(
    client: Client, handle: int, operation: int, data: bytes, *, size: int = 20_000, extended: bool = False
) -> None:
    context = configure(client, handle, operation).handle
    rop = destination.PUT_BUFFER_EXTENDED if extended else destination.PUT_BUFFER
    for start in range(0, len(data), size):
        piece = data[start : start + size]
        body = client.do(rop, destination.PutRequest(piece), on=context).body
        assert body.buffer_used_size == len(piece)
        assert body.in_progress_count == 0


def rich(maker: Maker) -> Row:
    """A message with everything that a message can have."""
    store = maker.store
    named = store.write(lambda txn: names.assign(txn, mapi_names.PidLidLocation.name)).result()
    draft = drafts.new(maker.mailbox, Special.INBOX, SESSION)
    overlay = draft.overlay
    values: dict[int, Value] = {
        tags.PidTagSubject: "Everything \u00fc",
        tags.PidTagMessageClass: "IPM.Note",
        tags.PidTagBody: "text",
        tags.PidTagSensitivity: 2,
        tags.PidTagReplyRequested: True,
        tags.PidTagExpiryTime: maker.now,
        named << 16 | 0x1F: "room 1",
        0x3F01_1003: (1, 2, 3),
        0x3F02_101F: ("one", "two"),
        0x3F03_1102: (b"a", b""),
        0x3F04_0048: bytes(range(16)),
        0x3F05_0005: 1.5,
        0x3F06_0014: -5,
        0x3F07_0102: bytes(60_000),
        0x3F08_0002: -2,
    }
    for tag, value in values.items():
        overlay.set(tag, value)
    overlay.set_large(0x3F09_001F, maker.prepare("wide \u20ac text ".encode() * 20_000))
    overlay.put_recipient(3, {tags.PidTagDisplayName: "Bob", tags.PidTagRecipientType: 1})
    overlay.put_recipient(7, {tags.PidTagDisplayName: "Eve", tags.PidTagRecipientType: 2})
    small, large, inside = (overlay.new_attachment() for _ in range(3))
    small.set(tags.PidTagAttachDataBinary, b"small")
    small.set(tags.PidTagAttachLongFilename, "small.bin")
    overlay.put_attachment(small)
    large = overlay.new_attachment()
    large.set_data(maker.prepare(bytes(range(256)) * 1000))
    overlay.put_attachment(large)
    inside = overlay.new_attachment()
    inner = Overlay()
    inner.set(tags.PidTagSubject, "inside")
    nested = inner.new_attachment()
    nested.set(tags.PidTagAttachDataBinary, b"deep")
    inner.put_attachment(nested)
    inner.put_recipient(0, {tags.PidTagDisplayName: "Zoe"})
    inside.set(tags.PidTagAttachMethod, 5)
    inside.put_embedded(inner)
    overlay.put_attachment(inside)
    draft.flags = RowFlag.SEEN | RowFlag.EVER_READ
    return maker.save(draft)


CHANGING = {
    tags.PidTagCreationTime,
    tags.PidTagSearchKey,
    tags.PidTagMessageDeliveryTime,
    tags.PidTagLastModifierName,
    tags.PidTagLastModifierEntryId,
    tags.PidTagCreatorName,
    tags.PidTagCreatorEntryId,
    tags.PidTagMessageLocaleId,
}
"""What a new message gets for itself."""

UNMODIFIED = 0x02
"""In PidTagMessageFlags, of a message that was saved once."""


def same(left: Item, right: Item, *, top: bool = True) -> None:
    """Whether two messages are alike: all that the first has, the second has too."""
    for key, value in left.props.items():
        if key == tags.PidTagMessageFlags and top:
            assert right.props.get(key) == value | UNMODIFIED
        elif not top or key not in CHANGING:
            assert right.props.get(key) == value, key
    assert right.recipients == left.recipients
    assert len(right.attachments) == len(left.attachments)
    for mine, other in zip(left.attachments, right.attachments, strict=True):
        assert mine.props == other.props
        assert (mine.embedded is None) is (other.embedded is None)
        if mine.embedded is not None and other.embedded is not None:
            same(mine.embedded, other.embedded, top=False)


@pytest.mark.covers(
    "MS-OXCROPS_2.2.12.1",
    "MS-OXCROPS_2.2.12.2",
    "MS-OXCROPS_2.2.12.3",
    "MS-OXCROPS_2.2.12.4",
    "MS-OXCROPS_2.2.12.7",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R3326", "MS-OXCFXICS_R3327", "MS-OXCFXICS_R596", "MS-OXCFXICS_R599", "MS-OXCFXICS_R332",
    "MS-OXCFXICS_R346", "MS-OXCFXICS_R347", "MS-OXCFXICS_R340", "MS-OXCFXICS_R352", "MS-OXCFXICS_R353",
    "MS-OXCFXICS_R354", "MS-OXCFXICS_R2089", "MS-OXCFXICS_R2090", "MS-OXCFXICS_R2102", "MS-OXCFXICS_R2103",
    "MS-OXCFXICS_R31701", "MS-OXCFXICS_R318302101", "MS-OXCFXICS_R3178001", "MS-OXCFXICS_R318302601",
    "MS-OXCFXICS_R3182001", "MS-OXCFXICS_R318200101", "MS-OXCFXICS_R3183030001", "MS-OXCFXICS_R318303003",
    "MS-OXCFXICS_R361", "MS-OXCFXICS_R382", "MS-OXCFXICS_R383", "MS-OXCFXICS_R384", "MS-OXCFXICS_R385",
    "MS-OXCFXICS_R581", "MS-OXCFXICS_R588", "MS-OXCFXICS_R589", "MS-OXCFXICS_R590", "MS-OXCFXICS_R591",
    "MS-OXCFXICS_R614", "MS-OXCFXICS_R3171", "MS-OXCFXICS_R624", "MS-OXCFXICS_R3172", "MS-OXCFXICS_R3173",
    "MS-OXCFXICS_R3174", "MS-OXCFXICS_R3175", "MS-OXCFXICS_R630", "MS-OXCFXICS_R3176", "MS-OXCFXICS_R3177",
    "MS-OXCFXICS_R634", "MS-OXCFXICS_R3178", "MS-OXCFXICS_R3179", "MS-OXCFXICS_R3181", "MS-OXCFXICS_R3182",
    "MS-OXCFXICS_R3183", "MS-OXCFXICS_R3183001", "MS-OXCFXICS_R3183015", "MS-OXCFXICS_R3183016",
    "MS-OXCFXICS_R3183017", "MS-OXCFXICS_R3183019", "MS-OXCFXICS_R3183020", "MS-OXCFXICS_R3183021",
    "MS-OXCFXICS_R3183023", "MS-OXCFXICS_R3183024", "MS-OXCFXICS_R3183026", "MS-OXCFXICS_R3183027",
    "MS-OXCFXICS_R3183029", "MS-OXCFXICS_R3183030", "MS-OXCFXICS_R3183031", "MS-OXCFXICS_R3183032",
    "MS-OXCFXICS_R2150", "MS-OXCFXICS_R2151", "MS-OXCFXICS_R2155", "MS-OXCFXICS_R2156",
    "MS-OXCFXICS_R2156001", "MS-OXCFXICS_R2156002", "MS-OXCFXICS_R1164", "MS-OXCFXICS_R1165",
    "MS-OXCFXICS_R1197", "MS-OXCFXICS_R1198", "MS-OXCFXICS_R1391", "MS-OXCFXICS_R1392", "MS-OXCFXICS_R1182",
    "MS-OXCFXICS_R1184", "MS-OXCFXICS_R1185", "MS-OXCFXICS_R1186", "MS-OXCFXICS_R1187",
)  # fmt: skip
@pytest.mark.parametrize("options", [UNICODE, SendOptions.USE_CPID | UNICODE, SendOptions.FORCE_UNICODE])
@pytest.mark.parametrize(("size", "extended"), [(30_000, False), (977, True)])
def test_a_message_is_the_same_after_there_and_back(
    client: Client, logon: int, maker: Maker, options: SendOptions, size: int, extended: bool
) -> None:
    row = rich(maker)
    data = copy_to(client, open_mid(client, logon, row), options=options)
    before = Parser(data).message_content(Item())
    request = create_message.Request(0x0FFF, Special.DRAFTS, False)
    made = client.do(create_message.ROP, request, on=logon).handle
    put(client, made, 1, data, size=size, extended=extended)
    save = save_changes_message.Request(SaveFlags.KEEP_OPEN_READ_WRITE)
    client.do(save_changes_message.ROP, save, on=made)
    (copied,) = maker.rows(Special.DRAFTS)
    after = Parser(copy_to(client, open_mid(client, logon, copied))).message_content(Item())
    same(before, after)
    assert len(str(before.props[0x3F09001F])) == 240_000
    assert before.del_props == list(SUBSETS.values())


@pytest.mark.covers(
    "MS-OXCFXICS_R3671", "MS-OXCFXICS_R3795", "MS-OXCFXICS_R411", "MS-OXCFXICS_R3776", "MS-OXCFXICS_R3447",
    "MS-OXCFXICS_R3448", "MS-OXCFXICS_R3449", "MS-OXCFXICS_R3451", "MS-OXCFXICS_R3452", "MS-OXCFXICS_R3453",
    "MS-OXCFXICS_R3455", "MS-OXCFXICS_R3456", "MS-OXCFXICS_R3457", "MS-OXCFXICS_R3781", "MS-OXCFXICS_R3782",
    "MS-OXCFXICS_R3459", "MS-OXCFXICS_R3118",
)  # fmt: skip
def test_strings_in_the_code_page_of_the_session(client: Client, logon: int, maker: Maker) -> None:
    row = maker.make("Gr\u00fc\u00dfe")
    data = copy_to(client, open_mid(client, logon, row), options=SendOptions.NONE)
    assert "Gr\u00fc\u00dfe".encode("cp1252") + b"\0" in data
    assert (tags.PidTagSubject & 0xFFFF0000 | 0x1E).to_bytes(4, "little") in data
    assert Parser(data).message_content(Item()).props[tags.PidTagSubject] == "Gr\u00fc\u00dfe"
    data = copy_to(client, open_mid(client, logon, row), options=SendOptions.USE_CPID)
    assert (tags.PidTagSubject & 0xFFFF0000 | 0x84B0).to_bytes(4, "little") in data


@pytest.mark.covers(
    "MS-OXCROPS_2.2.12.8",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R364", "MS-OXCFXICS_R365", "MS-OXCFXICS_R367", "MS-OXCFXICS_R379", "MS-OXCFXICS_R436",
    "MS-OXCFXICS_R437", "MS-OXCFXICS_R450", "MS-OXCFXICS_R451", "MS-OXCFXICS_R3439", "MS-OXCFXICS_R3440",
    "MS-OXCFXICS_R3441", "MS-OXCFXICS_R3464", "MS-OXCFXICS_R3783", "MS-OXCFXICS_R3465", "MS-OXCFXICS_R2272",
    "MS-OXCFXICS_R2273", "MS-OXCFXICS_R2274", "MS-OXCFXICS_R2276", "MS-OXCFXICS_R2277", "MS-OXCFXICS_R2278",
    "MS-OXCFXICS_R2280", "MS-OXCFXICS_R3285", "MS-OXCFXICS_R1031", "MS-OXCFXICS_R431", "MS-OXCFXICS_R3120",
    "MS-OXCFXICS_R453", "MS-OXCFXICS_R454", "MS-OXCFXICS_R455", "MS-OXCFXICS_R456", "MS-OXCFXICS_R1053",
)  # fmt: skip
def test_filters_of_copy_to_and_copy_properties(client: Client, logon: int, maker: Maker) -> None:
    handle = open_mid(client, logon, rich(maker))
    item = Parser(copy_to(client, handle, tags.PidTagBody, SUBSETS["recipients"])).message_content(Item())
    assert tags.PidTagBody not in item.props
    assert not item.recipients
    assert item.del_props == [SUBSETS["attachments"]]
    assert item.attachments[2].embedded is not None
    assert item.attachments[2].embedded.recipients  # filters do not reach down
    item = Parser(copy_to(client, handle, level=1)).message_content(Item())
    assert not item.recipients
    assert not item.attachments
    assert item.del_props == []

    def properties(*listed: int, level: int = 0) -> Item:
        request = source.CopyPropertiesRequest(level, CopyFlags.NONE, UNICODE, listed)
        made = client.do(source.COPY_PROPERTIES, request, on=handle).handle
        return Parser(pull(client, made)).message_content(Item())

    item = properties(tags.PidTagSubject, SUBSETS["recipients"])
    assert list(item.props) == [tags.PidTagSubject]
    assert len(item.recipients) == 2
    assert not item.attachments
    item = properties(tags.PidTagSubject, SUBSETS["recipients"], level=1)
    assert not item.recipients


@pytest.mark.covers(
    "MS-OXCFXICS_R2096", "MS-OXCFXICS_R2101", "MS-OXCFXICS_R2105", "MS-OXCFXICS_R2111", "MS-OXCFXICS_R2120",
    "MS-OXCFXICS_R2131", "MS-OXCFXICS_R2134", "MS-OXCFXICS_R3445", "MS-OXCFXICS_R3463", "MS-OXCFXICS_R3466",
    "MS-OXCFXICS_R3470", "MS-OXCFXICS_R3479", "MS-OXCFXICS_R3483", "MS-OXCFXICS_R3487", "MS-OXCFXICS_R3492",
    "MS-OXCFXICS_R3492001", "MS-OXCFXICS_R3442", "MS-OXCFXICS_R3442001", "MS-OXCFXICS_R3442003",
    "MS-OXCFXICS_R2153",
)  # fmt: skip
def test_unknown_flags_are_refused(client: Client, logon: int, maker: Maker) -> None:
    handle = open_(client, logon, Special.INBOX)
    asks: list[tuple[Any, Any]] = [
        (source.COPY_TO, source.CopyToRequest(0, CopyFlags(0x4000), UNICODE, ())),
        (source.COPY_TO, source.CopyToRequest(0, CopyFlags.MOVE, UNICODE, ())),
        (destination.CONFIGURE, destination.ConfigureRequest(1, destination.CopyFlags(2))),
        (source.COPY_TO, source.CopyToRequest(0, CopyFlags(0), SendOptions(0x80), ())),
        (source.COPY_PROPERTIES, source.CopyPropertiesRequest(0, CopyFlags(0x80), UNICODE, ())),
        (source.COPY_MESSAGES, source.CopyMessagesRequest((), CopyFlags(0x80), UNICODE)),
        (source.COPY_FOLDER, source.CopyFolderRequest(CopyFlags(0x80), UNICODE)),
        (destination.CONFIGURE, destination.ConfigureRequest(5, destination.CopyFlags.NONE)),
    ]
    for rop, request in asks:
        assert client.ask(rop, request, on=handle).code == ec.ecInvalidParam
    message = open_mid(client, logon, maker.make("x"), 1)
    assert configure(client, message, 3).code == ec.ecInvalidParam


@pytest.mark.covers(
    "MS-OXCROPS_2.2.12.6",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R3330", "MS-OXCFXICS_R601", "MS-OXCFXICS_R2112", "MS-OXCFXICS_R2113", "MS-OXCFXICS_R3474",
    "MS-OXCFXICS_R3475", "MS-OXCFXICS_R3311", "MS-OXCFXICS_R3311002", "MS-OXCFXICS_R499002",
    "MS-OXCFXICS_R499001", "MS-OXCFXICS_R211601", "MS-OXCFXICS_R2117", "MS-OXCFXICS_R2116",
    "MS-OXCFXICS_R3125", "MS-OXCFXICS_R479", "MS-OXCFXICS_R499", "MS-OXCFXICS_R3131", "MS-OXCFXICS_R3132",
    "MS-OXCFXICS_R3133", "MS-OXCFXICS_R3134", "MS-OXCFXICS_R485", "MS-OXCFXICS_R486", "MS-OXCFXICS_R487",
    "MS-OXCFXICS_R488", "MS-OXCFXICS_R3028", "MS-OXCFXICS_R3029", "MS-OXCFXICS_R2281", "MS-OXCFXICS_R3472",
)  # fmt: skip
def test_messages_are_copied_from_folder_to_folder(client: Client, logon: int, maker: Maker) -> None:
    rows = [rich(maker), maker.deliver("mail", attachment=b"abc"), maker.make("fai", associated=True)]
    inbox = open_(client, logon, Special.INBOX)
    mids = (*(row.mid for row in rows), (1 << 48) + 0xFFFFFF)
    for flags in (CopyFlags.NONE, CopyFlags.MESSAGES_SEND_ENTRY_ID):
        request = source.CopyMessagesRequest(mids, flags, UNICODE)
        data = pull(client, client.do(source.COPY_MESSAGES, request, on=inbox).handle)
        parser, found = Parser(data), FolderItem()
        parser.message_list(found)
        parser.end()
        assert [item.associated for item in found.messages] == [False, False, True]
        for row, item in zip(rows, found.messages, strict=True):
            assert item.order[0] == tags.PidTagMid
            assert item.props[tags.PidTagMid] == wire(row.mid)
            assert (tags.PidTagChangeKey in item.props) is bool(flags)
            assert (tags.PidTagLastModificationTime in item.props) is bool(flags)
            assert (tags.PidTagOriginalEntryId in item.props) is bool(flags)
        fid = maker.folder(f"copies {int(flags)}")
        put(client, open_(client, logon, fid), 3, data)
        copied = maker.rows(fid)
        assert [row.associated for row in copied] == [False, False, True]
        assert copied[0].flags & RowFlag.SEEN


@pytest.mark.covers(
    "MS-OXCROPS_2.2.12.5",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R3324", "MS-OXCFXICS_R3325", "MS-OXCFXICS_R3331", "MS-OXCFXICS_R595", "MS-OXCFXICS_R598",
    "MS-OXCFXICS_R602", "MS-OXCFXICS_R2121", "MS-OXCFXICS_R2122", "MS-OXCFXICS_R2124", "MS-OXCFXICS_R3482",
    "MS-OXCFXICS_R3793001", "MS-OXCFXICS_R3793", "MS-OXCFXICS_R3311001", "MS-OXCFXICS_R118202",
    "MS-OXCFXICS_R502", "MS-OXCFXICS_R514", "MS-OXCFXICS_R515", "MS-OXCFXICS_R516", "MS-OXCFXICS_R517",
    "MS-OXCFXICS_R509", "MS-OXCFXICS_R510", "MS-OXCFXICS_R511", "MS-OXCFXICS_R512", "MS-OXCFXICS_R1098",
    "MS-OXCFXICS_R1099", "MS-OXCFXICS_R1344", "MS-OXCFXICS_R1345", "MS-OXCFXICS_R1347", "MS-OXCFXICS_R1348",
    "MS-OXCFXICS_R1350", "MS-OXCFXICS_R1351", "MS-OXCFXICS_R3299", "MS-OXCFXICS_R1113", "MS-OXCFXICS_R1114",
    "MS-OXCFXICS_R2620", "MS-OXCFXICS_R525", "MS-OXCFXICS_R526", "MS-OXCFXICS_R3142", "MS-OXCFXICS_R530",
)  # fmt: skip
def test_a_folder_with_everything_below(client: Client, logon: int, maker: Maker) -> None:
    top = maker.folder("Top")
    below = maker.folder("Below", top)
    maker.deliver("in top", fid=top)
    maker.deliver("in below", fid=below)
    handle = open_(client, logon, top)

    def download(flags: CopyFlags) -> bytes:
        request = source.CopyFolderRequest(flags, UNICODE)
        return pull(client, client.do(source.COPY_FOLDER, request, on=handle).handle)

    alone = Parser(download(CopyFlags.NONE)).top_folder()
    assert [item.props[tags.PidTagSubject] for item in alone.messages] == ["in top"]
    assert not alone.folders
    assert not alone.del_props
    assert tags.PidTagDisplayName not in alone.props
    assert download(CopyFlags.MOVE) == download(CopyFlags.FOLDER_SUBFOLDERS)
    data = download(CopyFlags.FOLDER_SUBFOLDERS)
    whole = Parser(data).top_folder()
    first = [tags.PidTagFolderId, tags.PidTagDisplayName, tags.PidTagComment]
    assert whole.folders[0].order[:3] == first
    target = maker.folder("Target")
    put(client, open_(client, logon, target), 4, data, size=500)
    assert len(maker.rows(target)) == 1
    with maker.store.read() as txn:
        made = folders.lookup(txn, maker.mailbox, target, "Below")
    assert made is not None
    assert len(maker.rows(made)) == 1
    other = Parser(copy_to(client, handle)).folder_content()
    assert other.del_props == [0x3610000D, 0x360F000D, 0x360E000D, 0x3610000D, 0x360F000D, 0x360E000D] or (
        other.del_props == [0x3610000D, 0x360F000D, 0x360E000D]
    )
    assert other.order[:3] == first


@pytest.mark.covers(
    "MS-OXCROPS_2.2.12.9",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R572", "MS-OXCFXICS_R577", "MS-OXCFXICS_R578", "MS-OXCFXICS_R2148", "MS-OXCFXICS_R2149",
)  # fmt: skip
def test_tell_version_is_noted(client: Client, logon: int) -> None:
    handle = open_(client, logon, Special.INBOX)
    request = source.CopyFolderRequest(CopyFlags.NONE, UNICODE | SendOptions.USE_CPID)
    download = client.do(source.COPY_FOLDER, request, on=handle).handle
    upload = configure(client, handle, 4).handle
    for context in (download, upload):
        assert client.ask(tell_version.ROP, tell_version.Request((15, 0, 1)), on=context).code == ec.ecNone


def broken(*pieces: bytes | int) -> bytes:
    return b"".join(each if isinstance(each, bytes) else each.to_bytes(4, "little") for each in pieces)


@pytest.mark.parametrize(
    "data",
    [
        broken(Marker.END_MESSAGE),
        broken(Marker.START_MESSAGE, Marker.END_FOLDER),
        broken(Marker.START_MESSAGE, Marker.START_RECIPIENT, Marker.END_MESSAGE),
        broken(Marker.START_MESSAGE, Marker.START_EMBED),
        broken(Marker.INCR_SYNC_CHANGE),
        broken(0x0037FFFE & 0xFFFF0FFF),
        broken(0x0037001F, 0xFFFFFFFF),
    ],
)
def test_broken_streams(client: Client, logon: int, maker: Maker, data: bytes) -> None:
    handle = open_(client, logon, Special.INBOX)
    context = configure(client, handle, 3).handle
    reply = client.ask(destination.PUT_BUFFER, destination.PutRequest(data), on=context)
    assert reply.code == ec.ecInvalidParam, reply.name
    assert reply.body.transfer_status == 0
    again = client.ask(destination.PUT_BUFFER, destination.PutRequest(b"\0"), on=context)
    assert again.code == ec.ecInvalidParam
    assert maker.rows() == []


def test_an_error_info_drops_the_message_that_it_is_in(client: Client, logon: int, maker: Maker) -> None:
    def message(subject: str) -> bytes:
        return fx.pack([(tags.PidTagSubject, subject)], fx.UNICODE, {})

    data = broken(
        Marker.START_MESSAGE,
        message("lost"),
        Marker.NEW_ATTACHMENT,
        Marker.ERROR_INFO,
        fx.pack([(0x00000102, bytes(92))], fx.UNICODE, {}),
        Marker.START_MESSAGE,
        message("kept"),
        Marker.END_MESSAGE,
    )
    put(client, open_(client, logon, Special.INBOX), 3, data, size=7)
    assert len(maker.rows()) == 1


def test_properties_of_an_open_message_that_is_not_saved(client: Client, logon: int) -> None:
    request = create_message.Request(0x0FFF, Special.DRAFTS, False)
    made = client.do(create_message.ROP, request, on=logon).handle
    values: list[tuple[int, Value]] = [(tags.PidTagSubject, "unsaved")]
    client.do(set_properties.SET, set_properties.Request.of(values, rop_form(1252)), on=made)
    assert Parser(copy_to(client, made)).message_content(Item()).props[tags.PidTagSubject] == "unsaved"


@pytest.mark.covers(
    "MS-OXCFXICS_R369", "MS-OXCFXICS_R369001", "MS-OXCFXICS_R370", "MS-OXCFXICS_R370001",
    "MS-OXCFXICS_R441", "MS-OXCFXICS_R441001", "MS-OXCFXICS_R3328", "MS-OXCFXICS_R3329", "MS-OXCFXICS_R597",
    "MS-OXCFXICS_R600", "MS-OXCFXICS_R1054",
)  # fmt: skip
def test_an_attachment_there_and_back(client: Client, logon: int, maker: Maker) -> None:
    message = open_mid(client, logon, rich(maker), 1)

    def attachment(number: int) -> int:
        request = open_attachment.Request(open_attachment.OpenAttachmentFlags(0), number)
        return client.do(open_attachment.ROP, request, on=message).handle

    for number, level in ((0, 0), (1, 1), (2, 0), (2, 1)):
        handle = attachment(number)
        data = copy_to(client, handle, level=level)
        assert data == copy_to(client, handle, flags=CopyFlags(0x060E))
        item = Parser(data).attachment_content()
        assert (item.embedded is not None) is (number == 2)
        made = client.do(create_attachment.ROP, on=message).handle
        put(client, made, 1, data)
        copied = Parser(copy_to(client, made)).attachment_content()
        assert item.props.items() <= copied.props.items()
        assert copied.embedded == item.embedded


@pytest.mark.covers(
    "MS-OXCFXICS_R397", "MS-OXCFXICS_R398", "MS-OXCFXICS_R2708", "MS-OXCFXICS_R399", "MS-OXCFXICS_R2709",
    "MS-OXCFXICS_R400", "MS-OXCFXICS_R2710", "MS-OXCFXICS_R401", "MS-OXCFXICS_R2711", "MS-OXCFXICS_R469",
    "MS-OXCFXICS_R2712", "MS-OXCFXICS_R470", "MS-OXCFXICS_R2713", "MS-OXCFXICS_R471", "MS-OXCFXICS_R2714",
    "MS-OXCFXICS_R496", "MS-OXCFXICS_R2715", "MS-OXCFXICS_R497", "MS-OXCFXICS_R2716",
)  # fmt: skip
def test_unused_flags_change_nothing(client: Client, logon: int, maker: Maker) -> None:
    row = rich(maker)
    message, folder = open_mid(client, logon, row), open_(client, logon, Special.INBOX)

    def properties(flags: int) -> bytes:
        request = source.CopyPropertiesRequest(0, CopyFlags(flags), UNICODE, (tags.PidTagSubject,))
        return pull(client, client.do(source.COPY_PROPERTIES, request, on=message).handle)

    def messages(flags: int) -> bytes:
        request = source.CopyMessagesRequest((row.mid,), CopyFlags(flags), UNICODE)
        return pull(client, client.do(source.COPY_MESSAGES, request, on=folder).handle)

    for flags in (2, 4, 8):
        assert properties(flags) == properties(0)
        assert messages(flags) == messages(0)
    for flags in (2, 4, 8, 0x200, 0x400):
        assert copy_to(client, message, flags=CopyFlags(flags)) == copy_to(client, message)


@pytest.mark.covers(
    "MS-OXCFXICS_R2625", "MS-OXCFXICS_R262501",
)  # fmt: skip
def test_too_much_for_one_message(client: Client, logon: int, maker: Maker) -> None:
    context = configure(client, open_(client, logon, Special.INBOX), 3).handle
    data = broken(Marker.START_MESSAGE)
    data += b"".join(fx.pack([(0x3F000102 + (n % 100 << 16), bytes(30_000))], 0, {}) for n in range(600))
    codes = []
    for start in range(0, len(data), 30_000):
        request = destination.PutRequest(data[start : start + 30_000])
        codes.append(client.ask(destination.PUT_BUFFER, request, on=context).code)
    assert codes[0] == ec.ecNone
    assert codes[-1] == ec.ecMessageTooBig
