"""Rules of `typed` for contacts (MS-OXOCNTC): file-under names, addresses in one piece.

A rule never invents: without the properties that it looks at it gives None.
"""

from collections.abc import Callable
from typing import Final

from appliance.mapi import names, tags
from appliance.mapi.names import NamedTag
from appliance.mapi.types import Value

Get = Callable[[NamedTag | int], Value]
Rule = Callable[[Get], Value]

HOME, WORK, OTHER = 1, 2, 3  # PidLidPostalAddressId, MS-OXOCNTC 2.2.1.3.9


def _text(get: Get, tag: NamedTag | int) -> str:
    value = get(tag)
    return value if isinstance(value, str) else ""


# -- names ------------------------------------------------------------------------------------------------


def _full_name(get: Get, comma: str) -> str:
    """Surname, given name and middle name."""
    rest = " ".join(filter(None, (_text(get, tags.PidTagGivenName), _text(get, tags.PidTagMiddleName))))
    surname = _text(get, tags.PidTagSurname)
    return f"{surname}{comma}{rest}" if surname and rest else surname or rest


def _lines(*parts: str) -> str:
    return "\r\n".join(filter(None, parts))


def _company(get: Get) -> str:
    return _text(get, tags.PidTagCompanyName)


_FILE_UNDER: Final[dict[int, Callable[[Get], str]]] = {  # MS-OXOCNTC 2.2.1.1.12
    0x00003001: lambda get: _text(get, tags.PidTagDisplayName),
    0x00003A06: lambda get: _text(get, tags.PidTagGivenName),
    0x00003A11: lambda get: _text(get, tags.PidTagSurname),
    0x00003A16: _company,
    0x00008017: lambda get: _full_name(get, ", "),
    0x00008018: lambda get: _lines(_company(get), _full_name(get, ", ")),
    0x00008019: lambda get: _lines(_full_name(get, ", "), _company(get)),
    0x00008030: lambda get: _full_name(get, ""),
    0x00008031: lambda get: _full_name(get, " "),
    0x00008032: lambda get: _lines(_company(get), _full_name(get, "")),
    0x00008033: lambda get: _lines(_company(get), _full_name(get, " ")),
    0x00008034: lambda get: _lines(_full_name(get, ""), _company(get)),
    0x00008035: lambda get: _lines(_full_name(get, " "), _company(get)),
}


def _file_under(get: Get) -> Value:
    """MS-OXOCNTC 2.2.1.1.11: as PidLidFileUnderId says."""
    how = get(names.PidLidFileUnderId)
    rule = _FILE_UNDER.get(how) if isinstance(how, int) else None
    return (rule(get) or None) if rule is not None else None


# -- postal addresses -------------------------------------------------------------------------------------

_Parts = tuple[NamedTag | int, ...]
_HOME: Final[_Parts] = (  # street, city, state, postal code, country, post office box
    tags.PidTagHomeAddressStreet,
    tags.PidTagHomeAddressCity,
    tags.PidTagHomeAddressStateOrProvince,
    tags.PidTagHomeAddressPostalCode,
    tags.PidTagHomeAddressCountry,
    tags.PidTagHomeAddressPostOfficeBox,
)
_WORK: Final[_Parts] = (
    names.PidLidWorkAddressStreet,
    names.PidLidWorkAddressCity,
    names.PidLidWorkAddressState,
    names.PidLidWorkAddressPostalCode,
    names.PidLidWorkAddressCountry,
    names.PidLidWorkAddressPostOfficeBox,
)
_OTHER: Final[_Parts] = (
    tags.PidTagOtherAddressStreet,
    tags.PidTagOtherAddressCity,
    tags.PidTagOtherAddressStateOrProvince,
    tags.PidTagOtherAddressPostalCode,
    tags.PidTagOtherAddressCountry,
    tags.PidTagOtherAddressPostOfficeBox,
)
_GROUPS: Final = {HOME: _HOME, WORK: _WORK, OTHER: _OTHER}
_MAILING: Final = (
    tags.PidTagStreetAddress,
    tags.PidTagLocality,
    tags.PidTagStateOrProvince,
    tags.PidTagPostalCode,
    tags.PidTagCountry,
    tags.PidTagPostOfficeBox,
)


def _whole(parts: _Parts) -> Rule:
    """An address in one piece: street, then city, state and postal code, then country."""

    def rule(get: Get) -> Value:
        street, city, state, code, country, box = (_text(get, part) for part in parts)
        region = " ".join(filter(None, (state, code)))
        place = ", ".join(filter(None, (city, region)))
        return _lines(street or box, place, country) or None

    return rule


def _mailing(get: Get) -> _Parts | None:
    """The parts of the address that mail goes to."""
    which = get(names.PidLidPostalAddressId)
    return _GROUPS.get(which) if isinstance(which, int) else None


def _mailing_part(at: int) -> Rule:
    def rule(get: Get) -> Value:
        parts = _mailing(get)
        return None if parts is None else get(parts[at])

    return rule


def _mailing_whole(get: Get) -> Value:
    parts = _mailing(get)
    return None if parts is None else _whole(parts)(get)


# -- electronic addresses ---------------------------------------------------------------------------------

_EMAILS: Final = (
    (names.PidLidEmail1AddressType, names.PidLidEmail1EmailAddress, names.PidLidEmail1OriginalDisplayName),
    (names.PidLidEmail2AddressType, names.PidLidEmail2EmailAddress, names.PidLidEmail2OriginalDisplayName),
    (names.PidLidEmail3AddressType, names.PidLidEmail3EmailAddress, names.PidLidEmail3OriginalDisplayName),
)
_FAXES: Final = (tags.PidTagBusinessFaxNumber, tags.PidTagHomeFaxNumber, tags.PidTagPrimaryFaxNumber)


def _kinds(get: Get) -> tuple[int, ...]:
    """Which of the three addresses and three fax numbers there are."""
    every: tuple[NamedTag | int, ...] = (*(address for _, address, _ in _EMAILS), *_FAXES)
    return tuple(number for number, tag in enumerate(every) if get(tag))


def _provider_list(get: Get) -> Value:
    """MS-OXOCNTC 2.2.1.2.11."""
    return _kinds(get) or None


def _provider_bits(get: Get) -> Value:
    """MS-OXOCNTC 2.2.1.2.12."""
    return sum(1 << number for number in _kinds(get)) or None


def _address_type(address: NamedTag) -> Rule:
    return lambda get: "SMTP" if "@" in _text(get, address) else None


def _same(other: NamedTag) -> Rule:
    return lambda get: get(other)


NAMED: Final[dict[NamedTag, Rule]] = {
    names.PidLidFileUnder: _file_under,
    names.PidLidWorkAddress: _whole(_WORK),
    names.PidLidHomeAddress: _whole(_HOME),
    names.PidLidOtherAddress: _whole(_OTHER),
    names.PidLidAddressBookProviderEmailList: _provider_list,
    names.PidLidAddressBookProviderArrayType: _provider_bits,
    **{kind: _address_type(address) for kind, address, _ in _EMAILS},
    **{shown: _same(address) for _, address, shown in _EMAILS},
}
TAGGED: Final[dict[int, Rule]] = {
    tags.PidTagPostalAddress: _mailing_whole,
    **{tag: _mailing_part(at) for at, tag in enumerate(_MAILING)},
}
