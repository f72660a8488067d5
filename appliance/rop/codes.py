"""Errors of the layers below as codes of MS-OXCDATA 2.4. The only place where they are mapped."""

import logging

from appliance.mailbox.errors import Reason, Refused, refused
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.store.errors import StoreError
from appliance.store.tables.table import TableError
from appliance.wire.errors import DecodeError, EncodeError

_log = logging.getLogger(__name__)

_CODES = {
    Reason.NOT_FOUND: ec.ecNotFound,
    Reason.EXISTS: ec.ecDuplicateName,
    Reason.ACCESS_DENIED: ec.ecAccessDenied,
    Reason.CONFLICT: ec.ecObjectModified,
    Reason.INVALID: ec.ecNotSupported,
    Reason.QUOTA: ec.ecQuotaExceeded,
    Reason.TOO_BIG: ec.ecMessageTooBig,
    Reason.LIMIT: ec.ecMaxObjsExceeded,
    Reason.FULL: ec.ecLowMdbSpace,
    Reason.UNAVAILABLE: ec.ecError,
}


def code_of(error: Exception) -> int:
    """The code that a client is told. What nobody foresaw is logged, and ecError."""
    if isinstance(error, MapiError | TableError):
        return error.code
    if isinstance(error, Refused):
        return _CODES[error.reason]
    if isinstance(error, StoreError):
        return _CODES[refused(error).reason]
    if isinstance(error, DecodeError):
        return ec.ecInvalidParam
    if isinstance(error, EncodeError):
        _log.error("a response could not be written: %s", error)
        return ec.ecError
    _log.error("a remote operation failed", exc_info=error)
    return ec.ecError
