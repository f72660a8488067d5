"""The two tables of the server itself, and templates (MS-OXNSPI 3.1.4.1.3, 3.1.4.1.18, 3.1.4.4.3).

The hierarchy has a row for each address list, all at the top. The address creation table has one row, SMTP,
in every language that is known. Templates are found by display type and language, or by their distinguished
name, which is that of the organization's container of templates: `.../cn=Configuration/cn=Templates/cn=TYPE`.
"""

from appliance.addressbook import dialogs, objects, rows, templates
from appliance.addressbook.answers import SpecialTable
from appliance.addressbook.objects import Reader
from appliance.addressbook.rows import PropertyRow
from appliance.addressbook.stat import CP_WINUNICODE, Special, Stat, Template
from appliance.directory import lists
from appliance.mapi import errors, tags
from appliance.mapi import types as t
from appliance.mapi.entryids import AddressBookType, PermanentEntryId

HIERARCHY_VERSION = 1
"""The version of the hierarchy: moved by one when a release changes `directory.lists`."""

HIERARCHY_COLUMNS = (
    tags.PidTagEntryId,
    tags.PidTagContainerFlags,
    tags.PidTagDepth,
    tags.PidTagAddressBookContainerId,
    tags.PidTagDisplayName,
    tags.PidTagAddressBookIsMaster,
)
"""In the order that constraint 14 of 3.1.4.1.3 prescribes; no list has a parent."""

_TEMPLATES = "/cn=Configuration/cn=Templates/cn="
_SMTP = "SMTP"
_SCRIPT_PREFIX = "SMTP:"

# Primary language ids with a locale (MS-LCID 2.2): what may be asked for.
_LANGUAGES = frozenset({*range(0x01, 0x8D), 0x91, 0x92}) - {0x60, 0x61, 0x66, 0x67, 0x69, 0x71, 0x72}


def is_locale(lcid: int) -> bool:
    """Whether an LCID is one of a language (MS-LCID 2.2): a primary language with a sublanguage, no sort
    order of its own beyond the low byte's."""
    return 0x0400 <= lcid <= 0x7C92 and lcid & 0x3FF in _LANGUAGES


def table(reader: Reader, flags: int, stat: Stat, version: int) -> SpecialTable:
    """NspiGetSpecialTable. Raises MapiError(InvalidCodepage) where 8-bit strings are asked for in a code
    page without a codec."""
    creation = bool(flags & Special.ADDRESS_CREATION_TEMPLATES)
    # the flag for Unicode is ignored beside the other (constraint 4); what CP_WINUNICODE means without it
    # is left open (constraint 1)
    wide = stat.code_page == CP_WINUNICODE or (bool(flags & Special.UNICODE_STRINGS) and not creation)
    if not wide and not rows.is_writable(stat.code_page):
        raise errors.MapiError(errors.ecInvalidCodepage, f"code page {stat.code_page}")
    if creation:
        made = [_creation_row(reader, stat.template_locale)] if is_locale(stat.template_locale) else []
        return SpecialTable(None, [_strings(row, wide) for row in made])
    if version == HIERARCHY_VERSION:
        return SpecialTable(HIERARCHY_VERSION, [])
    found = (objects.container_bag(item) for item in lists.LISTS)
    made = [tuple((tag, bag[tag]) for tag in HIERARCHY_COLUMNS) for bag in found]
    return SpecialTable(HIERARCHY_VERSION, [_strings(row, wide) for row in made])


def _strings(row: PropertyRow, wide: bool) -> PropertyRow:
    return row if wide else tuple((objects.string8_tag(tag), value) for tag, value in row)


def _template_dn(reader: Reader, name: str) -> str:
    return f"{reader.organization.legacy_dn}{_TEMPLATES}{name}"


def _creation_row(reader: Reader, locale: int) -> PropertyRow:
    """A row of the address creation table (MS-OXOABKT 2.2.1): what it makes, and by which template."""
    key = PermanentEntryId(_template_dn(reader, _SMTP), AddressBookType.ONE_OFF_USER).pack()
    return (
        (tags.PidTagDisplayName, dialogs.word("SMTP Address", locale & 0x3FF)),
        (tags.PidTagAddressType, _SMTP),
        (tags.PidTagDisplayType, int(AddressBookType.LOCAL_USER)),
        (tags.PidTagDepth, 0),
        (tags.PidTagSelectable, True),
        (tags.PidTagInstanceKey, bytes(4)),
        (tags.PidTagEntryId, key),
    )


def template(
    reader: Reader, flags: int, display_type: int, dn: str | None, code_page: int, locale: int
) -> PropertyRow:
    """NspiGetTemplateInfo, after the check of the code page. Raises MapiError(InvalidLocale)."""
    name = str(display_type) if dn is None else _name_of(reader, dn)
    if dn is None and not is_locale(locale):
        raise errors.MapiError(errors.ecInvalidLocale, f"locale {locale:#x}")
    language = locale & 0x3FF if dn is None else 0
    controls = dialogs.smtp_address(language) if name == _SMTP else None
    if name is not None and name.isdecimal() and name.isascii():
        controls = dialogs.display(int(name[:9]), language)
    if controls is None:
        raise errors.MapiError(errors.ecInvalidLocale, f"template {dn or display_type}")
    row: list[tuple[int, t.Value]] = []
    if flags & Template.TEMPLATE:
        row.append((tags.PidTagTemplateData, templates.pack(controls, code_page)))
    if flags & Template.SCRIPT and name == _SMTP:
        tag = objects.string8_tag(tags.PidTagEmailAddress)
        row.append((tags.PidTagScriptData, templates.address_script(_SCRIPT_PREFIX, tag, code_page)))
    elif flags & Template.SCRIPT:
        row.append((t.with_type(tags.PidTagScriptData, t.PtypErrorCode), errors.ecNotFound))
    return tuple(row)


def _name_of(reader: Reader, dn: str) -> str | None:
    prefix = _template_dn(reader, "")
    return dn[len(prefix) :].upper() if dn.casefold().startswith(prefix.casefold()) else None
