"""Properties and streams of folders and mailboxes: what is set is there at once (MS-OXCPRPT 3.2.5.4 to
3.2.5.8, 3.2.5.13)."""

from collections.abc import Callable

import pytest

from appliance.directory.model import Entry
from appliance.mailbox import public
from appliance.mailbox.actor import SYSTEM
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.rows import PropertyError
from appliance.mapi.values import rop_form
from appliance.rop.model import Rop
from appliance.rop.ops import (
    commit_stream,
    copy_properties,
    delete_properties,
    logon,
    open_stream,
    set_properties,
)
from appliance.store.mailboxes import Special
from tests.conftest import EPOCH
from tests.rop.kit import Client
from tests.rop.ops.foldering import made
from tests.rop.ops.items import FORM, get, set_, stream, write
from tests.rop.ops.tabling import opened
from tests.transport.office import Office

MISSING = PropertyError(ec.ecNotFound)
COMMENT, OWN, TEXT = tags.PidTagComment, 0x66660102, 0x6667001F
RO, RW, CREATE = range(3)


@pytest.mark.parametrize("remove", delete_properties.ROPS)
@pytest.mark.parametrize("change", set_properties.ROPS)
@pytest.mark.covers(
    "MS-OXCPRPT_R82502", "MS-OXCPRPT_R828", "MS-OXCPRPT_R832", "MS-OXCPRPT_R83609", "MS-OXCPRPT_R839",
    "MS-OXCPRPT_R843", "MS-OXCPRPT_R846", "MS-OXCPRPT_R847", "MS-OXCPRPT_R492", "MS-OXCPRPT_R49201",
)  # fmt: skip
def test_folders_and_mailboxes_are_changed_at_once(
    connect: Callable[..., Client], anna: Entry, change: Rop, remove: Rop
) -> None:
    """Another session of the same user sees each change, without a save."""
    one, other = connect(anna), connect(anna)
    mailboxes = one.logon(), other.logon()
    folders = opened(one, mailboxes[0]), opened(other, mailboxes[1])
    for tag, (here, there) in ((TEXT, mailboxes), (COMMENT, folders)):
        request = set_properties.Request.of([(tag, "new")], FORM)
        assert one.do(change, request, on=here).body.problems == ()
        assert get(other, there, tag) == ["new"]
        assert one.do(remove, delete_properties.Request((tag,)), on=here).body.problems == ()
        assert get(other, there, tag) == [MISSING]


@pytest.mark.covers("MS-OXCPRPT_R465")
def test_strings_of_folders_are_in_the_page_of_the_logon(connect: Callable[..., Client], anna: Entry) -> None:
    client = connect(anna, code_page=1251)
    folder, cyrillic = opened(client, client.logon()), rop_form(1251)
    set_(client, folder, {COMMENT & ~0xFFFF | 0x1E: "Привет"}, cyrillic)
    assert get(client, folder, COMMENT) == ["Привет"]
    assert get(client, folder, COMMENT & ~0xFFFF | 0x1E, form=cyrillic) == ["Привет"]


@pytest.mark.covers(
    "MS-OXCPRPT_R503", "MS-OXCPRPT_R881", "MS-OXCPRPT_R5070504", "MS-OXCPRPT_R5070509",
)  # fmt: skip
def test_properties_are_copied_from_folder_to_folder(connect: Callable[..., Client], anna: Entry) -> None:
    client, witness = connect(anna), connect(anna)
    top = opened(client, client.logon(), Special.IPM_SUBTREE)
    box, _ = made(client, top, "Box")
    there, fid = made(client, top, "There")
    seen = opened(witness, witness.logon(), fid)
    set_(client, box, {COMMENT: "box", OWN: b"box"})

    def single(flags: int) -> copy_properties.PropertiesRequest:
        return copy_properties.PropertiesRequest(False, copy_properties.CopyFlags(flags), (COMMENT, OWN))

    def whole(flags: int) -> copy_properties.ToRequest:
        return copy_properties.ToRequest(False, False, copy_properties.CopyFlags(flags), ())

    for rop, request in ((copy_properties.COPY_PROPERTIES, single), (copy_properties.COPY_TO, whole)):
        set_(client, there, {COMMENT: "there"})
        client.do(delete_properties.DELETE, delete_properties.Request((OWN,)), on=there)
        if rop is copy_properties.COPY_PROPERTIES:
            assert client.ask(rop, request(1), on=box, dest=there).code == ec.ecNotSupported
            assert get(witness, seen, COMMENT, OWN) == ["there", MISSING]
        assert client.ask(rop, request(2), on=box, dest=there).code == 0
        assert get(witness, seen, COMMENT, OWN) == ["there", b"box"]
        assert client.ask(rop, request(0), on=box, dest=there).code == 0
        assert get(witness, seen, COMMENT, OWN, tags.PidTagDisplayName) == ["box", b"box", "There"]


def test_the_stream_of_a_folder_is_kept_when_it_is_committed(
    connect: Callable[..., Client], anna: Entry
) -> None:
    client, witness = connect(anna), connect(anna)
    folder, seen = opened(client, client.logon()), opened(witness, witness.logon())
    handle = stream(client, folder, OWN, CREATE)
    write(client, handle, b"committed")
    client.do(commit_stream.ROP, on=handle)
    assert get(witness, seen, OWN) == [b"committed"]


@pytest.mark.covers("MS-OXCPRPT_R88501")
def test_streams_of_public_folders_are_read_only(client: Client, office: Office) -> None:
    folder = office.write(
        lambda txn: public.create_folder(
            txn, SYSTEM, ("All",), guids=(bytes(16), bytes(range(16))), uidvalidity=9, now=EPOCH
        )
    )
    flags = logon.OpenFlags.PUBLIC | logon.OpenFlags.USE_PER_MDB_REPLID_MAPPING
    root = client.do(logon.ROP, logon.Request(logon.LogonFlags(0), flags, 0, b"")).handle
    handle = opened(client, root, folder.fid)
    for mode in (RW, CREATE):
        request = open_stream.Request(tags.PidTagDisplayName, mode)
        assert client.ask(open_stream.ROP, request, on=handle).code == ec.ecNotSupported
    assert client.do(open_stream.ROP, open_stream.Request(tags.PidTagDisplayName, RO), on=handle).body


@pytest.mark.covers("MS-OXCPRPT_R897")
def test_a_subfolder_is_not_copied_where_its_name_is_taken(client: Client) -> None:
    top = opened(client, client.logon(), Special.IPM_SUBTREE)
    box, _ = made(client, top, "Box")
    there, _ = made(client, top, "There")
    made(client, box, "Below")
    made(client, there, "Below")
    request = copy_properties.ToRequest(False, True, copy_properties.CopyFlags(0), ())
    assert client.ask(copy_properties.COPY_TO, request, on=box, dest=there).code == 0x80040604


@pytest.mark.covers(
    "MS-OXCPRPT_R2401", "MS-OXCPRPT_R2402", "MS-OXCPRPT_R3401", "MS-OXCPRPT_R3402", "MS-OXCPRPT_R5501",
    "MS-OXCPRPT_R5502",
)  # fmt: skip
def test_what_folders_and_mailboxes_do_not_have(client: Client) -> None:
    mailbox = client.logon()
    gone = (tags.PidTagAccessLevel, tags.PidTagLastModifierName, tags.PidTagSearchKey)
    for handle in (mailbox, opened(client, mailbox)):
        assert get(client, handle, *gone) == [MISSING] * len(gone)
