"""Names of properties (MS-NSPI 3.1.4.16, 3.1.4.17): the address book has one property set, PS_MAPI, in which
the name of a property is its tag. MS-OXNSPI leaves these two methods out.
"""

from collections.abc import Sequence

from appliance.addressbook import objects
from appliance.addressbook.stat import VERIFY_NAMES
from appliance.mapi import errors
from appliance.mapi import types as t
from appliance.mapi.names import PS_MAPI, PropertyName

UNKNOWN_TAG = 0x0000000A
"""What stands for a name without a property."""


def tag_of(name: PropertyName) -> int:
    """The tag of a name, 0 for unknown ones: a property id or a whole tag, in PS_MAPI."""
    if name.guid != PS_MAPI or not isinstance(name.lid_or_name, int):
        return 0
    number = name.lid_or_name
    known = objects.known_tag(t.with_type(number if number > 0xFFFF else number << 16, t.PtypUnspecified))
    return 0 if known is None else (number if number > 0xFFFF else known)


def names_from_ids(
    property_set: bytes | None, ids: Sequence[int] | None
) -> tuple[list[int] | None, list[PropertyName | None]]:
    """The names of tags; without tags, all of a property set, with their tags. None: no such name in the
    set. Raises MapiError(NotSupported) for all names of PS_MAPI."""
    if ids is None and property_set == PS_MAPI:
        raise errors.MapiError(errors.ecNotSupported, "all names of PS_MAPI")
    if ids is None:
        return [], []
    known = property_set in (None, PS_MAPI)
    found = [PropertyName(PS_MAPI, tag) if known and _is_known(tag) else None for tag in ids]
    return None, found


def ids_from_names(flags: int, names: Sequence[PropertyName | None]) -> tuple[int, list[int]]:
    """The tags of names, without types, and the code: ErrorsReturned when one is unknown. Raises
    MapiError(AccessDenied) for that when `flags` say to verify."""
    found = [tag_of(name) if name is not None else 0 for name in names]
    tags = [t.with_type(tag, t.PtypUnspecified) if tag else UNKNOWN_TAG for tag in found]
    if UNKNOWN_TAG not in tags:
        return errors.ecNone, tags
    if flags & VERIFY_NAMES:
        raise errors.MapiError(errors.ecAccessDenied, "a name has no property")
    return errors.ecWarnWithErrors, tags


def _is_known(tag: int) -> bool:
    return objects.known_tag(t.with_type(tag, t.PtypUnspecified)) is not None
