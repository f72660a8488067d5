"""MS-OXCMSG 2.2.1 and 2.2.2: what clients say of messages and attachments, with every value in the text.

The server has nothing to do with these properties but to keep them, each with its type, for every handle and
for good.
"""

from collections.abc import Iterator

import pytest

from tests.conformance.desk import Desk, Folder
from tests.conformance.properties import CREATE_NAMES, Name
from tests.conformance.values import BINARY, BOOLEAN, LONG, MULTIPLE, TIME, UNICODE, Value, tag

COMMON = bytes.fromhex("08 20 06 00 00 00 00 00 C0 00 00 00 00 00 00 46")
PUBLIC_STRINGS = bytes.fromhex("29 03 02 00 00 00 00 00 C0 00 00 00 00 00 00 46")
INTERNET_HEADERS = bytes.fromhex("86 03 02 00 00 00 00 00 C0 00 00 00 00 00 00 46")
ATTACHMENTS = bytes.fromhex("7F 7F 35 96 E1 59 D0 47 99 A7 46 51 5C 18 3B 54")
NOON, DAY = 133_000_000_000_000_000, 864_000_000_000
_OID = bytes.fromhex("2A 86 48 86 F7 14 03")

MESSAGE: dict[str, tuple[int, list[Value]]] = {
    "PidTagAlternateRecipientAllowed": (tag(0x0002, BOOLEAN), [True, False]),
    "PidTagAutoForwardComment": (tag(0x0004, UNICODE), ["passed on by a rule"]),
    "PidTagAutoForwarded": (tag(0x0005, BOOLEAN), [True, False]),
    "PidTagImportance": (tag(0x0017, LONG), [0, 1, 2]),
    "PidTagPriority": (tag(0x0026, LONG), [1, 0, 0xFFFFFFFF]),
    "PidTagSensitivity": (tag(0x0036, LONG), [0, 1, 2, 3]),
    "PidTagTnefCorrelationKey": (tag(0x007F, BINARY), [b"<key@example.test>\0"]),
    "PidTagBodyContentLocation": (tag(0x1014, UNICODE), ["http://example.test/body", "body.html"]),
    "PidTagBodyContentId": (tag(0x1015, UNICODE), ["12345@example.test"]),
    "PidTagInternetReferences": (tag(0x1039, UNICODE), ["<one@example.test> <two@example.test>"]),
    "PidTagArchiveTag": (tag(0x3018, BINARY), [bytes(range(16))]),
    "PidTagPolicyTag": (tag(0x3019, BINARY), [bytes(range(16, 32))]),
    "PidTagRetentionPeriod": (tag(0x301A, LONG), [0, 30]),
    "PidTagStartDateEtc": (tag(0x301B, BINARY), [(30).to_bytes(4, "little") + NOON.to_bytes(8, "little")]),
    "PidTagRetentionDate": (tag(0x301C, TIME), [NOON + 30 * DAY]),
    "PidTagRetentionFlags": (tag(0x301D, LONG), [1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x1FF, 0]),
    "PidTagArchivePeriod": (tag(0x301E, LONG), [0, 365]),
    "PidTagArchiveDate": (tag(0x301F, TIME), [NOON + 365 * DAY]),
    "PidTagInternetCodepage": (tag(0x3FDE, LONG), [65001, 1252, 20127]),
    "PidTagMessageLocaleId": (tag(0x3FF1, LONG), [0x0409, 0x0407]),
    "PidTagMessageCodepage": (tag(0x3FFD, LONG), [0, 1252, 65001]),
    "PidTagPurportedSenderDomain": (tag(0x4083, UNICODE), ["example.test"]),
    "PidTagMimeSkeleton": (tag(0x64F0, BINARY), [b"Subject: a skeleton\r\n\r\n"]),
}

NAMED: dict[str, tuple[Name, int, list[Value]]] = {
    "PidLidPrivate": (Name(COMMON, 0x8506), BOOLEAN, [True, False]),
    "PidLidAgingDontAgeMe": (Name(COMMON, 0x850E), BOOLEAN, [True, False]),
    "PidLidSideEffects": (
        Name(COMMON, 0x8510),
        LONG,
        [0x0001, 0x0008, 0x0010, 0x0020, 0x0040, 0x0100, 0x0400, 0x0800, 0x1000, 0x2000, 0x4000, 0x7D79],
    ),
    "PidLidCommonStart": (Name(COMMON, 0x8516), TIME, [NOON]),
    "PidLidCommonEnd": (Name(COMMON, 0x8517), TIME, [NOON + DAY]),
    "PidLidCurrentVersion": (Name(COMMON, 0x8552), LONG, [0x00023CB8]),
    "PidLidCurrentVersionName": (Name(COMMON, 0x8554), UNICODE, ["16.0"]),
    "PidLidInfoPathFormName": (Name(COMMON, 0x85B1), UNICODE, ["InfoPathForm.1"]),
    "PidLidClassified": (Name(COMMON, 0x85B5), BOOLEAN, [True, False]),
    "PidLidClassification": (Name(COMMON, 0x85B6), UNICODE, ["secret"]),
    "PidLidClassificationDescription": (Name(COMMON, 0x85B7), UNICODE, ["for few eyes"]),
    "PidLidCategories": (Name(PUBLIC_STRINGS, 0x9000), MULTIPLE | UNICODE, [["one"], ["one", "two"]]),
    "PidNameKeywords": (Name(PUBLIC_STRINGS, "Keywords"), MULTIPLE | UNICODE, [["red"], ["red", "k" * 255]]),
    "PidNameContentBase": (Name(INTERNET_HEADERS, "content-base"), UNICODE, ["http://example.test/"]),
    "PidNameAcceptLanguage": (Name(INTERNET_HEADERS, "accept-language"), UNICODE, ["de, en"]),
    "PidNameContentClass": (
        Name(INTERNET_HEADERS, "content-class"),
        UNICODE,
        ["urn:content-classes:message"],
    ),
    "PidNameContentType": (Name(INTERNET_HEADERS, "content-type"), UNICODE, ["text/plain"]),
    "PidNameMSIPLabels": (Name(INTERNET_HEADERS, "msip_labels"), UNICODE, ["MSIP_Label_1_Enabled=True;"]),
}

ATTACHMENT: dict[str, tuple[int, list[Value]]] = {
    "PidTagDisplayName": (tag(0x3001, UNICODE), ["a document.txt"]),
    "PidTagAttachEncoding": (tag(0x3702, BINARY), [_OID + b"\x0b\x01"]),
    "PidTagAttachExtension": (tag(0x3703, UNICODE), [".txt"]),
    "PidTagAttachFilename": (tag(0x3704, UNICODE), ["ADOCUM~1.TXT"]),
    "PidTagAttachMethod": (tag(0x3705, LONG), [0, 1, 2, 4, 7]),
    "PidTagAttachLongFilename": (tag(0x3707, UNICODE), ["a document.txt"]),
    "PidTagAttachPathname": (tag(0x3708, UNICODE), ["\\\\HOST\\ADOCUM~1.TXT"]),
    "PidTagAttachRendering": (tag(0x3709, BINARY), [b"\xd7\xcd\xc6\x9a" + bytes(40)]),
    "PidTagAttachTag": (
        tag(0x370A, BINARY),
        [_OID + b"\x0a\x01", _OID + b"\x0a\x03\x02\x01", _OID + b"\x0a\x04"],
    ),
    "PidTagRenderingPosition": (tag(0x370B, LONG), [0, 17, 0xFFFFFFFF]),
    "PidTagAttachTransportName": (tag(0x370C, UNICODE), ["adocum.txt"]),
    "PidTagAttachLongPathname": (tag(0x370D, UNICODE), ["\\\\host\\a document.txt"]),
    "PidTagAttachMimeTag": (tag(0x370E, UNICODE), ["text/plain", "application/octet-stream"]),
    "PidTagAttachAdditionalInformation": (tag(0x370F, BINARY), [b":ttxt:TEXT", b""]),
    "PidTagAttachContentBase": (tag(0x3711, UNICODE), ["http://example.test/"]),
    "PidTagAttachContentId": (tag(0x3712, UNICODE), ["part1@example.test"]),
    "PidTagAttachContentLocation": (tag(0x3713, UNICODE), ["image.png"]),
    "PidTagAttachFlags": (tag(0x3714, LONG), [0, 1, 2, 4]),
    "PidTagAttachPayloadProviderGuidString": (
        tag(0x3719, UNICODE),
        ["{00020329-0000-0000-C000-000000000046}"],
    ),
    "PidTagAttachPayloadClass": (tag(0x371A, UNICODE), ["Payload.Class"]),
    "PidTagTextAttachmentCharset": (tag(0x371B, UNICODE), ["utf-8"]),
    "PidTagAttachmentLinkId": (tag(0x7FFA, LONG), [0]),
    "PidTagAttachmentFlags": (tag(0x7FFD, LONG), [0]),
    "PidTagAttachmentHidden": (tag(0x7FFE, BOOLEAN), [True, False]),
}

NAMED_OF_ATTACHMENTS: dict[str, tuple[Name, int, list[Value]]] = {
    "PidNameAttachmentMacContentType": (Name(ATTACHMENTS, "AttachmentMacContentType"), UNICODE, ["image/x"]),
    "PidNameAttachmentMacInfo": (Name(ATTACHMENTS, "AttachmentMacInfo"), BINARY, [bytes(128)]),
}


def chosen(
    desk: Desk,
    plain: dict[str, tuple[int, list[Value]]],
    named: dict[str, tuple[Name, int, list[Value]]],
) -> dict[int, list[Value]]:
    """The values of each property, by its tag in this mailbox."""
    numbers = desk.ids(desk.logon, *(name for name, _, _ in named.values()), flags=CREATE_NAMES)
    found = dict(plain.values())
    for number, (_, kind, values) in zip(numbers, named.values(), strict=True):
        found[tag(number, kind)] = values
    return found


def rounds(values: dict[int, list[Value]]) -> Iterator[dict[int, Value]]:
    """Each value of each property in one of the rounds at least."""
    for at in range(max(map(len, values.values()))):
        yield {number: each[at % len(each)] for number, each in values.items()}


def differing(desk: Desk, handle: int, wanted: dict[int, Value]) -> list[tuple[str, Value, Value]]:
    """What is not as it was set."""
    found = dict(zip(wanted, desk.get(handle, *wanted), strict=True))
    return [(hex(number), found[number], value) for number, value in wanted.items() if found[number] != value]


@pytest.mark.covers("MS-OXCMSG_R500", "MS-OXCMSG_R503", "MS-OXCMSG_R504", "MS-OXCMSG_R69", "MS-OXCMSG_R72",
                    "MS-OXCMSG_R73", "MS-OXCMSG_R74", "MS-OXCMSG_R75", "MS-OXCMSG_R76", "MS-OXCMSG_R77",
                    "MS-OXCMSG_R78", "MS-OXCMSG_R79", "MS-OXCMSG_R80", "MS-OXCMSG_R81", "MS-OXCMSG_R82",
                    "MS-OXCMSG_R83", "MS-OXCMSG_R84", "MS-OXCMSG_R86", "MS-OXCMSG_R87", "MS-OXCMSG_R88",
                    "MS-OXCMSG_R94", "MS-OXCMSG_R95", "MS-OXCMSG_R1076", "MS-OXCMSG_R2008",
                    "MS-OXCMSG_R2009", "MS-OXCMSG_R2010", "MS-OXCMSG_R2011", "MS-OXCMSG_R2012",
                    "MS-OXCMSG_R2013", "MS-OXCMSG_R2014", "MS-OXCMSG_R2015", "MS-OXCMSG_R2016",
                    "MS-OXCMSG_R2017", "MS-OXCMSG_R2018", "MS-OXCMSG_R2116", "MS-OXCMSG_R2117",
                    "MS-OXCMSG_R2119", "MS-OXCMSG_R2122", "MS-OXCMSG_R2125", "MS-OXCMSG_R2126",
                    "MS-OXCMSG_R2127", "MS-OXCMSG_R2131", "MS-OXCMSG_R2134", "MS-OXCMSG_R2136",
                    "MS-OXCMSG_R2147", "MS-OXCMSG_R2148", "MS-OXCMSG_R2149", "MS-OXCMSG_R2153",
                    "MS-OXCMSG_R2154", "MS-OXCMSG_R2155", "MS-OXCMSG_R2156", "MS-OXCMSG_R2157",
                    "MS-OXCMSG_R2158", "MS-OXCMSG_R2159", "MS-OXCMSG_R2160", "MS-OXCMSG_R2161",
                    "MS-OXCMSG_R2162", "MS-OXCMSG_R2163", "MS-OXCMSG_R2164", "MS-OXCMSG_R2165",
                    "MS-OXCMSG_R2169", "MS-OXCMSG_R2172", "MS-OXCMSG_R2174", "MS-OXCMSG_R2133",
                    "MS-OXCMSG_R2103", "MS-OXCMSG_R2106")  # fmt: skip
def test_what_clients_say_of_a_message_is_kept(desk: Desk, inbox: Folder) -> None:
    message = desk.create_message(inbox)
    for wanted in rounds(chosen(desk, MESSAGE, NAMED)):
        assert desk.set(message, wanted) == []
        assert differing(desk, message, wanted) == []
        assert differing(desk, desk.opened(inbox, desk.save(message)), wanted) == []


@pytest.mark.covers("MS-OXCMSG_R239", "MS-OXCMSG_R588", "MS-OXCMSG_R590", "MS-OXCMSG_R592", "MS-OXCMSG_R594",
                    "MS-OXCMSG_R59801", "MS-OXCMSG_R609", "MS-OXCMSG_R610", "MS-OXCMSG_R612",
                    "MS-OXCMSG_R953", "MS-OXCMSG_R954", "MS-OXCMSG_R955", "MS-OXCMSG_R956", "MS-OXCMSG_R957",
                    "MS-OXCMSG_R958", "MS-OXCMSG_R613", "MS-OXCMSG_R614", "MS-OXCMSG_R615",
                    "MS-OXCMSG_R1271", "MS-OXCMSG_R618", "MS-OXCMSG_R619", "MS-OXCMSG_R620",
                    "MS-OXCMSG_R621", "MS-OXCMSG_R2031", "MS-OXCMSG_R2032", "MS-OXCMSG_R971",
                    "MS-OXCMSG_R972", "MS-OXCMSG_R624", "MS-OXCMSG_R625", "MS-OXCMSG_R626", "MS-OXCMSG_R629",
                    "MS-OXCMSG_R632", "MS-OXCMSG_R633", "MS-OXCMSG_R635", "MS-OXCMSG_R636")  # fmt: skip
def test_what_clients_say_of_an_attachment_is_kept(desk: Desk, inbox: Folder) -> None:
    message = desk.create_message(inbox)
    attachment, which = desk.create_attachment(message)
    for wanted in rounds(chosen(desk, ATTACHMENT, NAMED_OF_ATTACHMENTS)):
        assert desk.set(attachment, wanted) == []
        assert differing(desk, attachment, wanted) == []
        desk.save_attachment(attachment, message)
        kept = desk.open_attachment(desk.opened(inbox, desk.save(message)), which)
        assert differing(desk, kept, wanted) == []


@pytest.mark.covers("MS-OXCMSG_R2110", "MS-OXCMSG_R2195", "MS-OXCMSG_R2114", "MS-OXCMSG_R2120",
                    "MS-OXCMSG_R2124", "MS-OXCMSG_R2150", "MS-OXCMSG_R2166", "MS-OXCMSG_R2171")  # fmt: skip
def test_retention_belongs_to_folders_too(desk: Desk, inbox: Folder) -> None:
    folder = desk.create_folder(inbox, "kept for a year")
    wanted = {
        number: values[0]
        for name, (number, values) in MESSAGE.items()
        if name.removeprefix("PidTag")
        in ("ArchiveTag", "PolicyTag", "RetentionPeriod", "RetentionFlags", "ArchivePeriod")
    }
    assert len(wanted) == 5
    assert desk.set(folder.handle, wanted) == []
    assert differing(desk, desk.open_folder(folder.id).handle, wanted) == []
