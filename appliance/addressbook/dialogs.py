"""The dialogs that the server describes: details of each kind of object, and making an SMTP address.

Each is a function of the language, made of rows of labels and fields in dialog units. Labels are in English
where a language has no words here. `display(type)` finds the dialog of a display type (MS-OXOABKT 3.2.4.2).
"""

from collections.abc import Iterator

from appliance.addressbook.objects import string8_tag
from appliance.addressbook.templates import Control, ControlFlags, ControlType
from appliance.mapi import tags
from appliance.mapi.entryids import AddressBookType

_LEFT, _RIGHT = 8, 188
_LABEL_WIDTH, _FIELD_WIDTH, _FIELD_LENGTH = 56, 108, 256
_LINE = 16
_ANYTHING = "*"

GERMAN = 0x07
_WORDS: dict[int, dict[str, str]] = {
    GERMAN: {
        "General": "Allgemein",
        "Organization": "Organisation",
        "Phone/Notes": "Telefon/Notizen",
        "Member Of": "Mitglied von",
        "E-mail Addresses": "E-Mail-Adressen",
        "&First:": "&Vorname:",
        "&Initials:": "&Initialen:",
        "&Last:": "&Nachname:",
        "&Display:": "An&zeigename:",
        "&Alias:": "&Alias:",
        "A&ddress:": "A&dresse:",
        "&City:": "&Ort:",
        "&State:": "&Bundesland:",
        "&Zip code:": "&PLZ:",
        "C&ountry/Region:": "&Land/Region:",
        "&Title:": "&Position:",
        "Co&mpany:": "&Firma:",
        "D&epartment:": "A&bteilung:",
        "O&ffice:": "Bü&ro:",
        "A&ssistant:": "A&ssistent:",
        "&Phone:": "&Telefon:",
        "&Manager:": "&Vorgesetzter:",
        "Di&rect reports:": "&Mitarbeiter:",
        "&Business:": "&Geschäftlich:",
        "&Home:": "&Privat:",
        "&Mobile:": "&Mobil:",
        "Pa&ger:": "Pa&ger:",
        "&Fax:": "&Fax:",
        "&Notes:": "&Notizen:",
        "&Group membership:": "&Gruppenmitgliedschaft:",
        "&E-mail addresses:": "&E-Mail-Adressen:",
        "&Owner:": "&Besitzer:",
        "&Members:": "&Mitglieder:",
        "Modify &Members...": "Mitglieder &ändern...",
        "&E-mail address:": "&E-Mail-Adresse:",
        "SMTP Address": "SMTP-Adresse",
    },
}

_PERSON = (
    ("&First:", tags.PidTagGivenName),
    ("&Last:", tags.PidTagSurname),
    ("&Initials:", tags.PidTagInitials),
    ("&Alias:", tags.PidTagAccount),
    ("&Display:", tags.PidTagDisplayName),
    ("&Title:", tags.PidTagTitle),
    ("A&ddress:", tags.PidTagStreetAddress),
    ("Co&mpany:", tags.PidTagCompanyName),
    ("&City:", tags.PidTagLocality),
    ("D&epartment:", tags.PidTagDepartmentName),
    ("&State:", tags.PidTagStateOrProvince),
    ("O&ffice:", tags.PidTagOfficeLocation),
    ("&Zip code:", tags.PidTagPostalCode),
    ("A&ssistant:", tags.PidTagAssistant),
    ("C&ountry/Region:", tags.PidTagCountry),
    ("&Phone:", tags.PidTagBusinessTelephoneNumber),
)
_PHONES = (
    ("&Business:", tags.PidTagBusinessTelephoneNumber),
    ("&Home:", tags.PidTagHomeTelephoneNumber),
    ("&Mobile:", tags.PidTagMobileTelephoneNumber),
    ("&Fax:", tags.PidTagPrimaryFaxNumber),
    ("Pa&ger:", tags.PidTagPagerTelephoneNumber),
)


def _page(title: str) -> Control:
    return Control(ControlType.TABBED_PAGE, 0, 372, 0, 208, title)


def _label(text: str, x: int, y: int) -> Control:
    return Control(ControlType.LABEL, x, _LABEL_WIDTH, y, 8, text)


def _field(tag: int, x: int, y: int, width: int = _FIELD_WIDTH, height: int = 12) -> Control:
    lines = ControlFlags.MULTILINE if height > 12 else ControlFlags.NONE
    flags = lines | ControlFlags.DOUBLE_BYTE
    return Control(
        ControlType.TEXT_BOX, x, width, y, height, _ANYTHING, string8_tag(tag), _FIELD_LENGTH, flags
    )


def _fields(rows: tuple[tuple[str, int], ...]) -> Iterator[Control]:
    """Labels and fields in two columns, filled line by line."""
    for number, (text, tag) in enumerate(rows):
        x, y = (_LEFT, _RIGHT)[number % 2], 8 + number // 2 * _LINE
        yield _label(text, x, y + 2)
        yield _field(tag, x + _LABEL_WIDTH, y)


def _table(text: str, tag: int, y: int, height: int) -> Iterator[Control]:
    """A list of the objects that a table-valued property holds."""
    yield Control(ControlType.LABEL, _LEFT, 200, y, 8, text)
    yield Control(ControlType.LIST_BOX, _LEFT, 352, y + 10, height, _ANYTHING, tag)


def _tables_page(title: str, *rows: tuple[str, int]) -> Iterator[Control]:
    yield _page(title)
    height = 180 // len(rows) - 14
    for number, (text, tag) in enumerate(rows):
        yield from _table(text, tag, 8 + number * (height + 14), height)


def _addresses() -> Iterator[Control]:
    yield _page("E-mail Addresses")
    yield Control(ControlType.LABEL, _LEFT, 200, 8, 8, "&E-mail addresses:")
    shown = string8_tag(tags.PidTagEmsAbProxyAddresses)
    yield Control(ControlType.MULTI_VALUE_LIST_BOX, _LEFT, 352, 18, 160, _ANYTHING, shown)


_MEMBER_OF = tags.PidTagAddressBookIsMemberOfDistributionList & 0xFFFF0000 | 0x000D


def _person() -> Iterator[Control]:
    yield _page("General")
    yield from _fields(_PERSON)
    yield from _tables_page(
        "Organization",
        ("&Manager:", tags.PidTagAddressBookManager),
        ("Di&rect reports:", tags.PidTagAddressBookReports),
    )
    yield _page("Phone/Notes")
    yield from _fields(_PHONES)
    yield _label("&Notes:", _LEFT, 68)
    yield _field(tags.PidTagComment, _LEFT, 78, 352, 100)
    yield from _tables_page("Member Of", ("&Group membership:", _MEMBER_OF))
    yield from _addresses()


def _group() -> Iterator[Control]:
    yield _page("General")
    yield from _fields((("&Display:", tags.PidTagDisplayName), ("&Alias:", tags.PidTagAccount)))
    yield from _table("&Owner:", tags.PidTagAddressBookOwner, 28, 24)
    yield from _table("&Members:", tags.PidTagAddressBookMember, 66, 80)
    change = tags.PidTagAddressBookMember
    yield Control(ControlType.BUTTON, 260, 100, 160, 14, "Modify &Members...", change)
    yield _label("&Notes:", _LEFT, 164)
    yield _field(tags.PidTagComment, _LEFT, 176, 352, 24)
    yield from _tables_page("Member Of", ("&Group membership:", _MEMBER_OF))
    yield from _addresses()


def _plain() -> Iterator[Control]:
    yield _page("General")
    yield from _fields((("&Display:", tags.PidTagDisplayName), ("&Alias:", tags.PidTagAccount)))
    yield _label("&Notes:", _LEFT, 28)
    yield _field(tags.PidTagComment, _LEFT, 38, 352, 140)
    yield from _tables_page("Member Of", ("&Group membership:", _MEMBER_OF))
    yield from _addresses()


def _smtp() -> Iterator[Control]:
    yield _page("SMTP Address")
    typed = ControlFlags.EDITABLE | ControlFlags.DOUBLE_BYTE
    for y, text, tag, more in (
        (8, "&Display:", tags.PidTagDisplayName, ControlFlags.NONE),
        (28, "&E-mail address:", tags.PidTagEmailAddress, ControlFlags.REQUIRED),
    ):
        yield _label(text, _LEFT, y + 2)
        yield Control(
            ControlType.TEXT_BOX,
            _LEFT + _LABEL_WIDTH,
            280,
            y,
            12,
            _ANYTHING,
            string8_tag(tag),
            _FIELD_LENGTH,
            typed | more,
        )


_DISPLAY = {
    AddressBookType.LOCAL_USER: _person,
    AddressBookType.REMOTE_USER: _person,
    AddressBookType.DISTRIBUTION_LIST: _group,
    AddressBookType.AGENT: _plain,
    AddressBookType.FORUM: _plain,
}


def display(display_type: int, language: int) -> tuple[Control, ...] | None:
    """The details dialog of a display type, None where there is none. `language`: primary language id."""
    made = _DISPLAY.get(AddressBookType(display_type)) if display_type in _DISPLAY else None
    return None if made is None else tuple(_translated(made(), language))


def smtp_address(language: int) -> tuple[Control, ...]:
    """The dialog that makes an SMTP address."""
    return tuple(_translated(_smtp(), language))


def word(text: str, language: int) -> str:
    """A label in a language."""
    return _WORDS.get(language, {}).get(text, text)


def _translated(controls: Iterator[Control], language: int) -> Iterator[Control]:
    for control in controls:
        text = word(control.text, language)
        yield Control(
            control.type,
            control.x,
            control.width,
            control.y,
            control.height,
            text,
            control.kind,
            control.size,
            control.flags,
        )
