"""Bodies of the mailbox endpoint (MS-OXCMAPIHTTP 2.2.4)."""

from enum import IntFlag
from typing import Annotated

from appliance.protocols.mapihttp.bodies.common import Auxiliary
from appliance.wire.fields import U32, Ascii, Bytes32, Flags, UInt32, Utf16
from appliance.wire.record import Record


class ConnectRequest(Record):
    """2.2.4.1.1."""

    user_dn: Ascii
    flags: UInt32
    default_code_page: UInt32
    lcid_sort: UInt32
    lcid_string: UInt32
    auxiliary: Auxiliary = b""


class ConnectResponse(Record):
    """2.2.4.1.2. Times in milliseconds."""

    status_code: UInt32
    error_code: UInt32
    polls_max: UInt32
    retry_count: UInt32
    retry_delay: UInt32
    dn_prefix: Ascii
    display_name: Utf16
    auxiliary: Auxiliary = b""


class ExecuteFlags(IntFlag):
    """pulFlags (MS-OXCRPC 3.1.4.2): how the response's ROP buffer may be built."""

    NO_COMPRESSION = 0x00000001
    NO_XOR_MAGIC = 0x00000002
    CHAIN = 0x00000004


class ExecuteRequest(Record):
    """2.2.4.2.1."""

    flags: Annotated[ExecuteFlags, Flags(ExecuteFlags, U32)]
    rop_buffer: Bytes32
    max_rop_out: UInt32
    auxiliary: Auxiliary = b""


class ExecuteResponse(Record):
    """2.2.4.2.2."""

    status_code: UInt32
    error_code: UInt32
    flags: UInt32
    rop_buffer: Bytes32
    auxiliary: Auxiliary = b""


class DisconnectRequest(Record):
    """2.2.4.3.1."""

    auxiliary: Auxiliary = b""


class DisconnectResponse(Record):
    """2.2.4.3.2."""

    status_code: UInt32
    error_code: UInt32
    auxiliary: Auxiliary = b""


class NotificationWaitRequest(Record):
    """2.2.4.4.1."""

    flags: UInt32
    auxiliary: Auxiliary = b""


class NotificationWaitResponse(Record):
    """2.2.4.4.2."""

    status_code: UInt32
    error_code: UInt32
    event_pending: UInt32
    auxiliary: Auxiliary = b""
