"""Numbers of TNEF (MS-OXTNEF 2.1.3): attributes, message classes, limits."""

from typing import Final
from uuid import UUID

SIGNATURE: Final = 0x223E9F78
VERSION: Final = 0x00010000
LEVEL_MESSAGE: Final = 1
LEVEL_ATTACHMENT: Final = 2

# attributes, 2.1.3.1
VERSION_ATTRIBUTE: Final = 0x00089006
OEM_CODE_PAGE: Final = 0x00069007
MESSAGE_CLASS: Final = 0x00078008
ORIGINAL_MESSAGE_CLASS: Final = 0x00070006
MESSAGE_PROPS: Final = 0x00069003
RECIPIENT_TABLE: Final = 0x00069004
SUBJECT: Final = 0x00018004
DATE_SENT: Final = 0x00038005
DATE_RECEIVED: Final = 0x00038006
DATE_MODIFIED: Final = 0x00038020
DATE_START: Final = 0x00030006
DATE_END: Final = 0x00030007
BODY: Final = 0x0002800C
PRIORITY: Final = 0x0004800D
REQUEST_RESPONSE: Final = 0x00040009
OWNER_ID: Final = 0x00040008
MESSAGE_ID: Final = 0x00018009
CONVERSATION_ID: Final = 0x0001800B
RENDERING: Final = 0x00069002
ATTACHMENT_PROPS: Final = 0x00069005
ATTACHMENT_DATA: Final = 0x0006800F
ATTACHMENT_TITLE: Final = 0x00018010
ATTACHMENT_META_FILE: Final = 0x00068011
ATTACHMENT_CREATED: Final = 0x00038012
ATTACHMENT_MODIFIED: Final = 0x00038013
ATTACHMENT_TRANSPORT_NAME: Final = 0x00069001

CLASSES: Final = {  # 2.1.3.3.2: names of the days before MAPI
    "IPM.Microsoft Mail.Note": "IPM.Note",
    "IPM.Microsoft Mail.Read Receipt": "Report.IPM.Note.IPNRN",
    "IPM.Microsoft Mail.Non-Delivery": "Report.IPM.Note.NDR",
    "IPM.Microsoft Schedule.MtgRespP": "IPM.Schedule.Meeting.Resp.Pos",
    "IPM.Microsoft Schedule.MtgRespN": "IPM.Schedule.Meeting.Resp.Neg",
    "IPM.Microsoft Schedule.MtgRespA": "IPM.Schedule.Meeting.Resp.Tent",
    "IPM.Microsoft Schedule.MtgReq": "IPM.Schedule.Meeting.Request",
    "IPM.Microsoft Schedule.MtgCncl": "IPM.Schedule.Meeting.Canceled",
}

IMPORTANCES: Final = {1: 2, 2: 1, 3: 0}
"""attPriority (1 is high) as PidTagImportance, and back."""

IID_MESSAGE: Final = UUID("00020307-0000-0000-C000-000000000046").bytes_le
"""What the data object of an embedded message begins with."""

MAX_PROPERTIES: Final = 20_000
MAX_RECIPIENTS: Final = 20_000
MAX_ATTACHMENTS: Final = 10_000
MAX_VALUES: Final = 100_000
"""Values of one multi-value."""

MAX_TOTAL: Final = 100_000
"""Properties, values and attributes of one stream with all that is embedded in it."""

MAX_NESTING: Final = 16
"""Messages within messages."""
