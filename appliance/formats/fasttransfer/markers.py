"""Markers and meta-properties of FastTransfer streams (MS-OXCFXICS 2.2.4.1.4, 2.2.4.1.5).

A marker stands in the stream as its four bytes alone; a meta-property is written like any other property.
"""

from enum import IntEnum


class Marker(IntEnum):
    """What delimits the elements of a stream (2.2.4.1.4)."""

    START_TOP_FOLDER = 0x40090003
    START_SUB_FOLDER = 0x400A0003
    END_FOLDER = 0x400B0003
    START_MESSAGE = 0x400C0003
    END_MESSAGE = 0x400D0003
    START_FAI_MESSAGE = 0x40100003
    START_EMBED = 0x40010003
    END_EMBED = 0x40020003
    START_RECIPIENT = 0x40030003
    END_TO_RECIPIENT = 0x40040003
    NEW_ATTACHMENT = 0x40000003
    END_ATTACHMENT = 0x400E0003
    INCR_SYNC_CHANGE = 0x40120003
    INCR_SYNC_CHANGE_PARTIAL = 0x407D0003
    INCR_SYNC_DELETE = 0x40130003
    INCR_SYNC_END = 0x40140003
    INCR_SYNC_READ = 0x402F0003
    INCR_SYNC_STATE_BEGIN = 0x403A0003
    INCR_SYNC_STATE_END = 0x403B0003
    INCR_SYNC_PROGRESS_MODE = 0x4074000B
    INCR_SYNC_PROGRESS_PER_MESSAGE = 0x4075000B
    INCR_SYNC_MESSAGE = 0x40150003
    INCR_SYNC_GROUP_INFO = 0x407B0102
    ERROR_INFO = 0x40180003


MARKERS = frozenset(int(marker) for marker in Marker)

MetaTagFXDelProp = 0x40160003  # 2.2.4.1.5.1
MetaTagEcWarning = 0x400F0003  # 2.2.4.1.5.2
MetaTagNewFXFolder = 0x40110102  # 2.2.4.1.5.3
MetaTagIncrSyncGroupId = 0x407C0003  # 2.2.4.1.5.4
MetaTagIncrementalSyncMessagePartial = 0x407A0003  # 2.2.4.1.5.5
MetaTagDnPrefix = 0x4008001E  # 2.2.4.1.5.6

MetaTagIdsetGiven = 0x40170003
"""2.2.1.1.1: its tag says Integer32, its value is Binary, here and wherever it stands (3.1.5.2.1)."""
MetaTagIdsetGivenBinary = 0x40170102
MetaTagCnsetSeen = 0x67960102  # 2.2.1.1.2
MetaTagCnsetSeenFAI = 0x67DA0102  # 2.2.1.1.3
MetaTagCnsetRead = 0x67D20102  # 2.2.1.1.4
MetaTagIdsetDeleted = 0x67E50102  # 2.2.1.3.1
MetaTagIdsetNoLongerInScope = 0x40210102  # 2.2.1.3.2
MetaTagIdsetExpired = 0x67930102  # 2.2.1.3.3
MetaTagIdsetRead = 0x402D0102  # 2.2.1.3.4
MetaTagIdsetUnread = 0x402E0102  # 2.2.1.3.5
