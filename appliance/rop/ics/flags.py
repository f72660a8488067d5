"""Flags of synchronisation ROPs (MS-OXCFXICS 2.2.3.2.1.1.1)."""

from enum import IntEnum, IntFlag


class SynchronizationType(IntEnum):
    """What is synchronized."""

    CONTENTS = 0x01
    HIERARCHY = 0x02


class SynchronizationFlags(IntFlag):
    """Parameters of a download."""

    UNICODE = 0x0001
    NO_DELETIONS = 0x0002
    IGNORE_NO_LONGER_IN_SCOPE = 0x0004
    READ_STATE = 0x0008
    FAI = 0x0010
    NORMAL = 0x0020
    ONLY_SPECIFIED_PROPERTIES = 0x0080
    NO_FOREIGN_IDENTIFIERS = 0x0100
    RESERVED = 0x1000
    BEST_BODY = 0x2000
    IGNORE_SPECIFIED_ON_FAI = 0x4000
    PROGRESS = 0x8000


KNOWN_FLAGS = 0xE1BF
"""All but RESERVED."""


class SynchronizationExtraFlags(IntFlag):
    """Additional parameters; unknown bits are ignored."""

    NONE = 0
    EID = 0x01
    MESSAGE_SIZE = 0x02
    CN = 0x04
    ORDER_BY_DELIVERY_TIME = 0x08
