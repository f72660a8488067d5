"""STAT, the position in a table that travels between client and server, and the constants of the protocol.

A status-based table has no state on the server: a `Stat` names the container, the order and the row. The
server gives back changed copies; of the client's fields it changes only those that a method says.
"""

from dataclasses import replace
from enum import IntEnum, IntFlag
from typing import Annotated, Final

from appliance.wire import fields as f
from appliance.wire.record import Record


class SortType(IntEnum):
    """Sort orders of tables (MS-OXNSPI 2.2.1.10). The last two only name tables of NspiGetMatches."""

    DISPLAY_NAME = 0x00000000
    PHONETIC_DISPLAY_NAME = 0x00000003
    DISPLAY_NAME_RO = 0x000003E8
    DISPLAY_NAME_W = 0x000003E9


# Positioning Minimal Entry IDs (2.2.1.8).
MID_BEGINNING_OF_TABLE: Final = 0x00000000
MID_CURRENT: Final = 0x00000001
MID_END_OF_TABLE: Final = 0x00000002

# Outcomes of name resolution (2.2.1.9).
MID_UNRESOLVED: Final = 0x00000000
MID_AMBIGUOUS: Final = 0x00000001
MID_RESOLVED: Final = 0x00000002

DEFAULT_LOCALE: Final = 0x00000409  # NSPI_DEFAULT_LOCALE (2.2.1.4)
CP_TELETEX: Final = 0x00004F25  # 2.2.1.5
CP_WINUNICODE: Final = 0x000004B0


class Retrieve(IntFlag):
    """Flags of NspiGetPropList, NspiGetProps and NspiQueryRows (2.2.1.11)."""

    SKIP_OBJECTS = 0x00000001
    EPHEMERAL_IDS = 0x00000002


class Special(IntFlag):
    """Flags of NspiGetSpecialTable (2.2.1.12)."""

    ADDRESS_CREATION_TEMPLATES = 0x00000002
    UNICODE_STRINGS = 0x00000004


class Template(IntFlag):
    """Flags of NspiGetTemplateInfo (2.2.1.14)."""

    TEMPLATE = 0x00000001
    SCRIPT = 0x00000004
    EMAIL_TYPE = 0x00000010
    HELPFILE_NAME = 0x00000020
    HELPFILE_CONTENTS = 0x00000040


UNICODE_PROPTYPES: Final = 0x80000000  # NspiUnicodeProptypes of NspiQueryColumns (2.2.1.13)
ANONYMOUS_LOGIN: Final = 0x00000020  # fAnonymousLogin of NspiBind (3.1.4.1.1)
DELETE: Final = 0x00000001  # fDelete of NspiModLinkAtt (2.2.1.15)
VERIFY_NAMES: Final = 0x00000002  # NspiVerifyNames of NspiGetIDsFromNames (MS-NSPI 2.2.15)


class Stat(Record):
    """STAT (2.2.8): 36 bytes, the same over HTTP and in NDR.

    `current_rec` is a Minimal Entry ID or a positioning one; `delta` rows to move from there; `num_pos` of
    `total_recs` is the fractional position that MID_CURRENT stands for, and the position given back.
    """

    sort_type: Annotated[int, f.U32] = SortType.DISPLAY_NAME
    container_id: Annotated[int, f.U32] = 0
    current_rec: Annotated[int, f.U32] = MID_BEGINNING_OF_TABLE
    delta: Annotated[int, f.I32] = 0
    num_pos: Annotated[int, f.U32] = 0
    total_recs: Annotated[int, f.U32] = 0
    code_page: Annotated[int, f.U32] = 1252
    template_locale: Annotated[int, f.U32] = DEFAULT_LOCALE
    sort_locale: Annotated[int, f.U32] = DEFAULT_LOCALE

    def moved(self, mid: int, position: int, total: int) -> "Stat":
        """A copy that stands on row `position` of `total`, with Delta used up."""
        return replace(self, current_rec=mid, delta=0, num_pos=position, total_recs=total)

    def seeking(self, mid: int, position: int, total: int) -> "Stat":
        """A copy on another row, with Delta as it is (3.1.4.1.9 constraint 12, 3.1.4.1.11 constraint 8)."""
        return replace(self, current_rec=mid, num_pos=position, total_recs=total)

    def of_container(self, container_id: int) -> "Stat":
        """A copy in another container (3.1.4.1.10 constraint 15)."""
        return replace(self, container_id=container_id)
