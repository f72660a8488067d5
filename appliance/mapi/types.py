"""Property types (MS-OXCDATA 2.11.1) and what stands for them in Python.

| type | in Python |
| --- | --- |
| Integer16, Integer32, Integer64, Currency | int, signed |
| Time | int: FILETIME, 100 ns since 1601-01-01 UTC, unsigned 64 bit |
| Floating32, Floating64, FloatingTime | float |
| Boolean | bool |
| String, String8 | str; bags hold PtypString only, code pages end at the edges |
| Guid | 16 bytes in wire order |
| Binary, ServerId, Object, Restriction, RuleAction | bytes (the encoded structure) |
| ErrorCode | int, unsigned (appliance.mapi.errors) |
| Null, Unspecified | None |
| multi-values | tuple of the above |

A signed field also takes the unsigned number with the same bits when written, and is read back signed.
"""

from collections.abc import Mapping

PtypUnspecified = 0x0000
PtypNull = 0x0001
PtypInteger16 = 0x0002
PtypInteger32 = 0x0003
PtypFloating32 = 0x0004
PtypFloating64 = 0x0005
PtypCurrency = 0x0006
PtypFloatingTime = 0x0007
PtypErrorCode = 0x000A
PtypBoolean = 0x000B
PtypObject = 0x000D
PtypInteger64 = 0x0014
PtypString8 = 0x001E
PtypString = 0x001F
PtypTime = 0x0040
PtypGuid = 0x0048
PtypServerId = 0x00FB
PtypRestriction = 0x00FD
PtypRuleAction = 0x00FE
PtypBinary = 0x0102
PtypMultipleInteger16 = 0x1002
PtypMultipleInteger32 = 0x1003
PtypMultipleFloating32 = 0x1004
PtypMultipleFloating64 = 0x1005
PtypMultipleCurrency = 0x1006
PtypMultipleFloatingTime = 0x1007
PtypMultipleInteger64 = 0x1014
PtypMultipleString8 = 0x101E
PtypMultipleString = 0x101F
PtypMultipleTime = 0x1040
PtypMultipleGuid = 0x1048
PtypMultipleBinary = 0x1102

MULTIPLE_FLAG = 0x1000
# On a column: its multi-values become one row each (MS-OXCTABL 2.2.2.2.1); always with MULTIPLE_FLAG.
MULTIPLE_INSTANCE_FLAG = 0x2000

Scalar = int | float | bool | str | bytes
Value = Scalar | None | tuple[int, ...] | tuple[float, ...] | tuple[str, ...] | tuple[bytes, ...]
Bag = dict[int, Value]
ReadableBag = Mapping[int, Value]

NAMES: Mapping[int, str] = {
    number: name for name, number in list(globals().items()) if name.startswith("Ptyp")
}


def type_of(tag: int) -> int:
    """The type half of a property tag."""
    return tag & 0xFFFF


def id_of(tag: int) -> int:
    """The ID half of a property tag."""
    return tag >> 16


def with_type(tag: int, property_type: int) -> int:
    """The tag of the same property ID with another type."""
    return tag & 0xFFFF0000 | property_type


def is_multiple(tag: int) -> bool:
    """Whether the tag's values are tuples."""
    return bool(tag & MULTIPLE_FLAG)


def is_named(tag: int) -> bool:
    """Whether the ID was given to a named property (MS-OXCPRPT 3.1.4.1: 0x8000 to 0xFFFE)."""
    return tag >> 16 >= 0x8000


def element_type(property_type: int) -> int:
    """The type of one value of a multi-valued type; a single type is its own."""
    return property_type & ~(MULTIPLE_FLAG | MULTIPLE_INSTANCE_FLAG)


def unicode_tag(tag: int) -> int:
    """The tag as bags hold it: String8 types become Unicode ones."""
    return tag | 1 if tag & 0xCFFF == PtypString8 else tag
