"""Properties of folders, and folders copied into others (MS-OXCFOLD 2.2.2, MS-OXCPRPT 3.2.5.8)."""

from typing import Any

import pytest

from appliance.directory.model import Entry
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.entryids import FolderEntryId, parse
from appliance.mapi.ids import to_int64
from appliance.mapi.rows import PropertyError
from appliance.rop.ops import copy_properties, delete_properties
from appliance.store.mailboxes import Special
from tests.conftest import EPOCH
from tests.rop.kit import Client
from tests.rop.ops.foldering import delete, made, opening
from tests.rop.ops.items import get, get_all, listed, set_
from tests.rop.ops.tabling import contents, hierarchy, insert, opened
from tests.transport.office import Office

MISSING = PropertyError(ec.ecNotFound)

# -- properties of folders ----------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCFOLD_2.2.2", "MS-OXCFOLD_2.2.2.1", "MS-OXCFOLD_2.2.2.2.1.1", "MS-OXCFOLD_2.2.2.2.1.2",
    "MS-OXCFOLD_R35101", "MS-OXCFOLD_R1035110", "MS-OXCFOLD_R1035111", "MS-OXCFOLD_R1035103",
    "MS-OXCFOLD_R1035105", "MS-OXCFOLD_R1035107", "MS-OXCFOLD_2.2.2.2.1.6", "MS-OXCFOLD_2.2.2.2.1.8",
    "MS-OXCFOLD_2.2.2.2.1.9", "MS-OXCFOLD_2.2.2.2.1.10", "MS-OXCFOLD_2.2.2.2.1.11", "MS-OXCFOLD_2.2.2.2.1.12",
    "MS-OXCFOLD_2.2.2.2.1.13", "MS-OXCFOLD_2.2.2.2.1.14", "MS-OXCFOLD_2.2.2.2.1.15", "MS-OXCFOLD_2.2.2.2.2.7",
    "MS-OXCFOLD_R367", "MS-OXCFOLD_2.11.1", "MS-OXCFOLD_2.500", "MS-OXCFOLD_2.606", "MS-OXCFOLD_2.626",
    "MS-OXCFOLD_2.632", "MS-OXCFOLD_2.637", "MS-OXCFOLD_2.641", "MS-OXCFOLD_2.643", "MS-OXCFOLD_2.649",
    "MS-OXCFOLD_2.671", "MS-OXCFOLD_2.687", "MS-OXCFOLD_2.695", "MS-OXCFOLD_2.697", "MS-OXCFOLD_2.715",
    "MS-OXCFOLD_2.759", "MS-OXCFOLD_2.791", "MS-OXCFOLD_2.792", "MS-OXCFOLD_2.853", "MS-OXCFOLD_2.930",
    "MS-OXCFOLD_2.1027", "MS-OXCPRPT_R19", "MS-OXCPRPT_R20",
)  # fmt: skip
def test_what_a_folder_tells(office: Office, anna: Entry, client: Client) -> None:
    handle = client.logon()
    top = opened(client, handle, Special.IPM_SUBTREE)
    box, fid = made(client, top, "Box")
    insert(office, anna, "one", fid, size=70)
    insert(office, anna, "two", fid, size=30, seen=True)
    insert(office, anna, "fai", fid, size=5, associated=True)
    counts = (tags.PidTagContentCount, tags.PidTagContentUnreadCount, tags.PidTagMessageSize,
              tags.PidTagMessageSizeExtended, tags.PidTagSubfolders)  # fmt: skip
    assert get(client, box, *counts) == [2, 1, 100, 100, False]
    (before,) = get(client, box, tags.PidTagHierarchyChangeNumber)
    made(client, box, "Below")
    after, below = get(client, box, tags.PidTagHierarchyChangeNumber, tags.PidTagSubfolders)
    assert after > before
    assert below is True
    facts = (
        tags.PidTagFolderId,
        tags.PidTagFolderType,
        tags.PidTagFolderFlags,
        tags.PidTagAccess,
        tags.PidTagRights,
    )
    assert get(client, box, *facts) == [to_int64(fid), 1, 5, 0x3F, 0x1FFB]
    search_folder, _ = made(client, top, "Search", kind=2)
    assert get(client, search_folder, tags.PidTagFolderType, tags.PidTagFolderFlags) == [2, 2]
    root = opened(client, handle, Special.ROOT)
    assert get(client, root, tags.PidTagFolderType) == [0]
    times = (tags.PidTagCreationTime, tags.PidTagLastModificationTime, tags.PidTagLocalCommitTime,
             tags.PidTagHierRev, tags.PidTagLocalCommitTimeMax)  # fmt: skip
    assert all(isinstance(each, int) and each >= EPOCH for each in get(client, box, *times))
    (parent,) = get(client, box, tags.PidTagParentEntryId)
    found = parse(parent)
    assert isinstance(found, FolderEntryId)
    assert found.folder.counter == Special.IPM_SUBTREE & 0xFFFF_FFFF_FFFF
    assert get(client, box, tags.PidTagDeletedCountTotal) == [0]
    assert get(client, box, tags.PidTagDeletedOn) == [MISSING]
    assert set(listed(client, box)) >= {*counts, *facts, tags.PidTagDisplayName}
    assert get_all(client, box)[tags.PidTagDisplayName] == "Box"


@pytest.mark.covers(
    "MS-OXCFOLD_2.2.2.2.1.3", "MS-OXCFOLD_2.2.2.2.2.1", "MS-OXCFOLD_2.2.2.2.2.2", "MS-OXCFOLD_2.2.2.2.2.3",
    "MS-OXCFOLD_2.2.2.2.2.5", "MS-OXCFOLD_2.665", "MS-OXCFOLD_2.668",
)  # fmt: skip
def test_what_a_client_sets_on_a_folder(client: Client) -> None:
    handle = client.logon()
    top = opened(client, handle, Special.IPM_SUBTREE)
    box, fid = made(client, top, "Box")
    made(client, top, "Taken")
    values: dict[int, Any] = {
        tags.PidTagDisplayName: "Crate",
        tags.PidTagContainerClass: "IPF.Note",
        tags.PidTagComment: "for things",
        tags.PidTagAttributeHidden: True,
        0x66660102: b"own",
    }
    assert set_(client, box, values).problems == ()
    assert get(client, box, *values) == list(values.values())
    assert opening(client, handle, fid).code == 0
    refused = {
        tags.PidTagDisplayName: ("taken", ec.ecDuplicateName),
        tags.PidTagContentCount: (7, ec.ecComputed),
        tags.PidTagFolderType: (2, ec.ecComputed),
        tags.PidTagRights: (0, ec.ecComputed),
    }
    problems = set_(client, box, {tag: value for tag, (value, _) in refused.items()}).problems
    assert {problem.tag: problem.code for problem in problems} == {
        tag: code for tag, (_, code) in refused.items()
    }
    assert set_(client, box, {tags.PidTagDisplayName: ""}).problems[0].code == ec.ecInvalidParam
    inbox = opened(client, handle)
    assert set_(client, inbox, {tags.PidTagDisplayName: "Post"}).problems[0].code == ec.ecAccessDenied
    gone = (tags.PidTagComment, tags.PidTagAttributeHidden, tags.PidTagContainerClass, tags.PidTagDisplayName)
    problems = client.do(delete_properties.DELETE, delete_properties.Request(gone), on=box).body.problems
    assert [problem.tag for problem in problems] == [tags.PidTagDisplayName]
    assert get(client, box, *gone) == [MISSING, False, MISSING, "Crate"]
    delete(client, top, fid)
    old = opening(client, handle, fid, 4).handle
    assert get(client, old, tags.PidTagDeletedOn)[0] > EPOCH
    assert "Taken" in hierarchy(client, top).rows()


def test_folders_are_copied_into_others(office: Office, anna: Entry, client: Client) -> None:
    top = opened(client, client.logon(), Special.IPM_SUBTREE)
    box, fid = made(client, top, "Box")
    below, below_fid = made(client, box, "Below")
    set_(client, box, {tags.PidTagComment: "kept", 0x66660102: b"own"})
    insert(office, anna, "one", fid)
    insert(office, anna, "two", below_fid)
    there, _ = made(client, top, "There")
    request = copy_properties.ToRequest(False, True, copy_properties.CopyFlags(0), (0x66660102,))
    assert client.ask(copy_properties.COPY_TO, request, on=box, dest=there).code == 0
    assert get(client, there, tags.PidTagComment, 0x66660102, tags.PidTagDisplayName) == [
        "kept",
        MISSING,
        "There",
    ]
    assert contents(client, there).rows() == ["one"]
    assert hierarchy(client, there).rows() == ["Below"]
    assert client.ask(copy_properties.COPY_TO, request, on=box, dest=below).code == ec.ecRootFolder
