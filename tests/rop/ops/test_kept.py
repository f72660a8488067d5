"""What clients set on messages and attachments is there when they look again, and IMAP sees it as mail."""

import pytest

from appliance.mailbox import rendered
from appliance.mapi import names, tags
from appliance.mapi import types as t
from appliance.mapi.names import PropertyName
from appliance.mapi.types import Bag, Value, type_of
from appliance.rop.ops import get_property_ids_from_names, modify_recipients
from appliance.store import contents, messages
from appliance.store.mailboxes import Special
from tests.rop.kit import Client
from tests.rop.ops.items import (
    attach,
    create,
    get,
    open_attachment_,
    opened,
    read,
    recipients_request,
    save,
    save_attachment,
    set_,
    smtp,
    stream,
    write,
)
from tests.transport.office import Office

SAMPLES: dict[int, Value] = {
    t.PtypInteger16: 7,
    t.PtypInteger32: 5,
    t.PtypInteger64: 1 << 40,
    t.PtypFloating64: 1.5,
    t.PtypBoolean: True,
    t.PtypString: "text",
    t.PtypTime: 132_000_000_000_000_000,
    t.PtypBinary: b"\x01bytes",
    t.PtypGuid: b"g" * 16,
    t.PtypMultipleString: ("one", "two"),
    t.PtypMultipleInteger32: (1, 2),
    t.PtypMultipleBinary: (b"a", b"bc"),
}

TAGGED = (
    tags.PidTagMessageClass,
    tags.PidTagMessageCodepage,
    tags.PidTagImportance,
    tags.PidTagPriority,
    tags.PidTagSensitivity,
    tags.PidTagAutoForwarded,
    tags.PidTagAutoForwardComment,
    tags.PidTagInternetReferences,
    tags.PidTagMimeSkeleton,
    tags.PidTagTnefCorrelationKey,
    tags.PidTagAlternateRecipientAllowed,
    tags.PidTagPurportedSenderDomain,
    tags.PidTagInternetCodepage,
    tags.PidTagBodyContentId,
    tags.PidTagBodyContentLocation,
    tags.PidTagArchiveTag,
    tags.PidTagPolicyTag,
    tags.PidTagRetentionPeriod,
    tags.PidTagStartDateEtc,
    tags.PidTagRetentionDate,
    tags.PidTagRetentionFlags,
    tags.PidTagArchivePeriod,
    tags.PidTagArchiveDate,
)
NAMED = (
    names.PidLidSmartNoAttach,
    names.PidLidPrivate,
    names.PidLidSideEffects,
    names.PidNameKeywords,
    names.PidLidCommonStart,
    names.PidLidCommonEnd,
    names.PidLidCategories,
    names.PidLidClassification,
    names.PidLidClassificationDescription,
    names.PidLidClassified,
    names.PidLidInfoPathFormName,
    names.PidLidAgingDontAgeMe,
    names.PidLidCurrentVersion,
    names.PidLidCurrentVersionName,
    names.PidNameContentBase,
    names.PidNameAcceptLanguage,
    names.PidNameContentClass,
    names.PidNameContentType,
    names.PidLidContactLinkEntry,
    names.PidLidContacts,
    names.PidLidContactLinkName,
    names.PidLidContactLinkSearchKey,
    names.PidNameMSIPLabels,
)
ATTACHED = (
    tags.PidTagDisplayName,
    tags.PidTagAttachMethod,
    tags.PidTagAttachLongFilename,
    tags.PidTagAttachFilename,
    tags.PidTagAttachExtension,
    tags.PidTagAttachLongPathname,
    tags.PidTagAttachPathname,
    tags.PidTagAttachTag,
    tags.PidTagRenderingPosition,
    tags.PidTagAttachRendering,
    tags.PidTagAttachFlags,
    tags.PidTagAttachTransportName,
    tags.PidTagAttachEncoding,
    tags.PidTagAttachAdditionalInformation,
    tags.PidTagAttachmentLinkId,
    tags.PidTagAttachmentFlags,
    tags.PidTagAttachmentHidden,
    tags.PidTagTextAttachmentCharset,
    tags.PidTagAttachMimeTag,
    tags.PidTagAttachContentId,
    tags.PidTagAttachContentLocation,
    tags.PidTagAttachContentBase,
    tags.PidTagCreationTime,
    tags.PidTagLastModificationTime,
)


def tag_of(client: Client, on: int, wanted: list[tuple[PropertyName, int]]) -> list[int]:
    flags = get_property_ids_from_names.NameFlags.CREATE
    request = get_property_ids_from_names.Request(flags, tuple(name for name, _ in wanted))
    found = client.do(get_property_ids_from_names.ROP, request, on=on).body.ids
    return [number << 16 | kind for number, (_, kind) in zip(found, wanted, strict=True)]


def samples(wanted: list[int]) -> Bag:
    values: Bag = {tag: SAMPLES[type_of(tag)] for tag in wanted}
    return values | {tags.PidTagImportance: 2} if tags.PidTagImportance in values else values


@pytest.mark.covers(
    "MS-OXCMSG_R2698",
    "MS-OXCMSG_R2700",
    "MS-OXCMSG_R2691",
    "MS-OXCMSG_R2702",
    "MS-OXCMSG_R2707",
    "MS-OXCMSG_R242",
    "MS-OXCMSG_R243",
    "MS-OXCPRPT_2.11.1",
    "MS-OXCMSG_2.2.1.14",
    "MS-OXCMSG_2.2.1.15",
    "MS-OXCMSG_2.2.1.17",
    "MS-OXCMSG_2.2.1.19",
    "MS-OXCMSG_2.2.1.20",
    "MS-OXCMSG_2.2.1.21",
    "MS-OXCMSG_2.2.1.22",
    "MS-OXCMSG_2.2.1.23",
    "MS-OXCMSG_2.2.1.24",
    "MS-OXCMSG_2.2.1.25",
    "MS-OXCMSG_2.2.1.26",
    "MS-OXCMSG_2.2.1.27",
    "MS-OXCMSG_2.2.1.28",
    "MS-OXCMSG_2.2.1.29",
    "MS-OXCMSG_2.2.1.33",
    "MS-OXCMSG_2.2.1.34",
    "MS-OXCMSG_2.2.1.35",
    "MS-OXCMSG_2.2.1.36",
    "MS-OXCMSG_2.2.1.41",
    "MS-OXCMSG_2.2.1.42",
    "MS-OXCMSG_2.2.1.43",
    "MS-OXCMSG_2.2.1.48",
    "MS-OXCMSG_2.2.1.50",
    "MS-OXCMSG_2.2.1.56",
    "MS-OXCMSG_2.2.1.58.6",
    "MS-OXCMSG_2.2.1.58.7",
    "MS-OXCMSG_2.2.1.58.8",
    "MS-OXCMSG_2.2.1.60.1",
    "MS-OXCMSG_2.2.1.60.2",
    "MS-OXCMSG_R7",
    "MS-OXCMSG_R8",
    "MS-OXCMSG_R1476",
)
def test_properties_of_messages_are_kept(client: Client) -> None:
    logon = client.logon()
    named = tag_of(client, logon, [(each.name, each.type) for each in NAMED])
    values = samples([*TAGGED, *named])
    message = create(client, logon)
    assert set_(client, message, values).problems == ()
    mid = save(client, message)
    for handle in (message, opened(client, logon, mid)):
        assert dict(zip(values, get(client, handle, *values), strict=True)) == values


@pytest.mark.covers(
    "MS-OXCMSG_2.2.2.2",
    "MS-OXCMSG_2.2.2.3",
    "MS-OXCMSG_2.2.2.4",
    "MS-OXCMSG_2.2.2.10",
    "MS-OXCMSG_2.2.2.11",
    "MS-OXCMSG_2.2.2.12",
    "MS-OXCMSG_2.2.2.13",
    "MS-OXCMSG_2.2.2.14",
    "MS-OXCMSG_2.2.2.17",
    "MS-OXCMSG_2.2.2.19",
    "MS-OXCMSG_2.2.2.24",
    "MS-OXCMSG_2.2.2.25",
    "MS-OXCMSG_2.2.2.29",
)
def test_properties_of_attachments_are_kept(client: Client) -> None:
    logon = client.logon()
    values = samples([*ATTACHED])
    message = create(client, logon)
    attachment = attach(client, message, values, keep=True)
    set_(client, attachment, values)
    save_attachment(client, attachment, message)
    found = open_attachment_(client, opened(client, logon, save(client, message)), 0)
    assert dict(zip(values, get(client, found, *values), strict=True)) == values


@pytest.mark.parametrize(
    ("provider", "original", "permission"),
    [("OneDrivePro", 0, 1), ("OneDriveConsumer", 1, 2), ("OneDrivePro", 2, 0)],
)
@pytest.mark.covers(
    "MS-OXCMSG_R59802",
    "MS-OXCMSG_R128001",
    "MS-OXCMSG_R128002",
    "MS-OXCMSG_R128003",
    "MS-OXCMSG_R128005",
    "MS-OXCMSG_R128007",
    "MS-OXCMSG_R128009",
    "MS-OXCMSG_R128011",
    "MS-OXCMSG_R128013",
    "MS-OXCMSG_R128015",
    "MS-OXCMSG_R128017",
    "MS-OXCMSG_R128019",
    "MS-OXCMSG_R128021",
)
def test_what_is_said_of_a_web_reference_is_kept(
    client: Client, provider: str, original: int, permission: int
) -> None:
    logon = client.logon()
    wanted = (
        names.PidNameAttachmentProviderType,
        names.PidNameAttachmentOriginalPermissionType,
        names.PidNameAttachmentPermissionType,
    )
    named = tag_of(client, logon, [(each.name, each.type) for each in wanted])
    values: Bag = dict(zip(named, (provider, original, permission), strict=True))
    message = create(client, logon)
    attach(client, message, {tags.PidTagAttachMethod: 7, **values})
    found = open_attachment_(client, opened(client, logon, save(client, message)), 0)
    assert get(client, found, *values) == [provider, original, permission]


@pytest.mark.covers("MS-OXCMSG_2.2.2.8")
@pytest.mark.parametrize("size", [100, 100_000])
def test_an_object_of_an_application_is_kept_as_its_bytes(client: Client, size: int) -> None:
    logon = client.logon()
    message, content = create(client, logon), bytes(range(100)) * (size // 100)
    attachment = attach(client, message, {tags.PidTagAttachMethod: 6}, keep=True)
    write(client, stream(client, attachment, tags.PidTagAttachDataObject, 2), content)
    save_attachment(client, attachment, message)
    found = open_attachment_(client, opened(client, logon, save(client, message)), 0)
    assert get(client, found, tags.PidTagAttachMethod) == [6]
    assert read(client, stream(client, found, tags.PidTagAttachDataObject)) == content


@pytest.mark.parametrize("changed", [False, True])
def test_imap_sees_what_was_saved(client: Client, office: Office, changed: bool) -> None:
    logon = client.logon()
    message = create(client, logon, Special.INBOX)
    set_(client, message, {tags.PidTagSubject: "Grüße", tags.PidTagBody: "Hello there\r\n"})
    request = recipients_request({0: (1, smtp("bob@other.test", "Bob"))})
    client.do(modify_recipients.ROP, request, on=message)
    attach(
        client,
        message,
        {
            tags.PidTagAttachLongFilename: "a.txt",
            tags.PidTagAttachDataBinary: b"attached",
            tags.PidTagAttachMethod: 1,
        },
    )
    mid = save(client, message)
    if changed:
        rendered.render_pending(office.store, client.user.mailbox, Special.INBOX)
        set_(client, message, {tags.PidTagBody: "Other words\r\n"})
        save(client, message)
    rendered.render_pending(office.store, client.user.mailbox, Special.INBOX)
    with office.store.read() as txn:
        row = contents.get(txn, client.user.mailbox, Special.INBOX, mid)
        raw = messages.read(txn, client.user.mailbox, row)
    assert b"To: Bob <bob@other.test>" in raw
    assert (b"Other words" if changed else b"Hello there") in raw
    assert b"a.txt" in raw
    assert b"=?utf-8?" in raw.lower()
