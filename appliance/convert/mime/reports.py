"""Reading reports: delivery status (RFC 3464) and message disposition (RFC 8098) notifications.

The machine-readable part gives the message class, the recipients with their reasons, and what is known of the
original message (MS-OXCMAIL 2.2.3.7). A report that cannot be read is an ordinary message.
"""

import binascii
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from appliance.convert.mime import addresses
from appliance.convert.mime.addresses import Address
from appliance.convert.mime.source import Headers, Source
from appliance.formats.mime.dates import parse_date
from appliance.formats.mime.scan import Part
from appliance.mapi import tags
from appliance.mapi.types import Bag

MAX_STATUS = 1 << 20
"""Encoded bytes of a status part that are read."""
MAX_RECIPIENTS = 5_000

STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
DISPOSITION_TYPES = frozenset({"message/disposition-notification", "message/global-disposition-notification"})

# MS-OXCMAIL 2.2.3.7.1.1: the action that weighs most names the class of the whole report.
_ACTIONS: Mapping[str, tuple[int, str]] = {
    "delivered": (0, "REPORT.IPM.Note.DR"),
    "expanded": (1, "REPORT.IPM.Note.Expanded.DR"),
    "relayed": (2, "REPORT.IPM.Note.Relayed.DR"),
    "delayed": (3, "REPORT.IPM.Note.DELAYED"),
    "failed": (4, "REPORT.IPM.Note.NDR"),
}
READ_CLASS = "REPORT.IPM.Note.IPNRN"
NOT_READ_CLASS = "REPORT.IPM.Note.IPNNRN"
_READ_DISPOSITIONS = frozenset({"displayed", "dispatched", "processed"})

_BLANK_LINE = re.compile(rb"\r?\n[ \t]*\r?\n")
_STATUS = re.compile(r"(\d)\.(\d{1,3})\.(\d{1,3})")


class Status(NamedTuple):
    """A status part: the fields of the message, then those of each recipient."""

    message: Headers
    recipients: list[Headers]


def status_part(source: Source) -> Part | None:
    """The machine-readable part of a multipart/report, None when the message is none."""
    root = source.root
    if root.content.value != "multipart/report":
        return None
    return next(
        (part for part in source.children(root) if part.content.value in STATUS_TYPES | DISPOSITION_TYPES),
        None,
    )


def read_status(source: Source, part: Part) -> Status:
    """The groups of fields of a status part."""
    groups: list[Headers] = []
    for block in _BLANK_LINE.split(source.data(part, MAX_STATUS), maxsplit=MAX_RECIPIENTS + 1)[
        : MAX_RECIPIENTS + 1
    ]:
        fields = Headers(block + b"\r\n")
        if fields:
            groups.append(fields)
    if not groups:
        return Status(Headers(b""), [])
    if b"final-recipient" in groups[0] and b"action" in groups[0]:
        return Status(groups[0], groups)  # no empty line after the message's own fields
    return Status(groups[0], groups[1:])


def _value(fields: Headers, name: bytes) -> str:
    body = fields.get(name)
    return addresses.decode_text(body) if body else ""


def _date(fields: Headers, name: bytes) -> int | None:
    moment = parse_date(fields.get(name) or b"")
    return None if moment is None else moment[0]


def _typed(value: str) -> tuple[str, str]:
    """`type; value` of RFC 3464 2.1.2; without a type all is the value."""
    kind, separator, rest = value.partition(";")
    return (kind.strip().lower(), rest.strip()) if separator else ("", value.strip())


def _action(fields: Headers) -> str:
    words = _value(fields, b"action").lower().split()
    return words[0].strip("()") if words else ""


def report_class(source: Source) -> str | None:
    """The message class of a report, None when the message is none."""
    part = status_part(source)
    if part is None:
        return None
    status = read_status(source, part)
    if part.content.value in DISPOSITION_TYPES:
        disposition = _typed(_value(status.message, b"disposition"))[1].lower()
        kind = disposition.split("/")[0].strip()
        return READ_CLASS if kind in _READ_DISPOSITIONS else NOT_READ_CLASS
    weights = [_ACTIONS[action] for group in status.recipients if (action := _action(group)) in _ACTIONS]
    return max(weights)[1] if weights else None


def _original(source: Source) -> Headers | None:
    """The header of the message that a report returns (message/rfc822 or text/rfc822-headers)."""
    for part in source.children(source.root):
        embedded = source.scan.embedded(part)
        if embedded is not None:
            return source.headers(embedded)
        if part.content.value in ("text/rfc822-headers", "message/rfc822-headers"):
            return Headers(source.data(part, MAX_STATUS))
    return None


def read_report(source: Source, part: Part) -> tuple[Bag, list[Bag]]:
    """Message properties and recipient rows of a report (MS-OXCMAIL 2.2.3.7)."""
    status = read_status(source, part)
    props: Bag = {}
    if (original := _original(source)) is not None:
        _from_original(props, original)
    reported = _date(source.headers(), b"date")
    if reported is not None:
        props[tags.PidTagReportTime] = reported
    if part.content.value in DISPOSITION_TYPES:
        _disposition(props, status.message)
        return props, []
    if mta := _typed(_value(status.message, b"reporting-mta"))[1]:
        props[tags.PidTagReportingMessageTransferAgent] = mta
    return props, _recipients(status, reported)


def _from_original(props: Bag, original: Headers) -> None:
    for name, tag in (
        (b"subject", tags.PidTagOriginalSubject),
        (b"message-id", tags.PidTagOriginalMessageId),
    ):
        if text := _value(original, name):
            props[tag] = text[:1000]
    if (moment := _date(original, b"date")) is not None:
        props[tags.PidTagOriginalSubmitTime] = moment
    for name, tag in (
        (b"to", tags.PidTagOriginalDisplayTo),
        (b"cc", tags.PidTagOriginalDisplayCc),
        (b"bcc", tags.PidTagOriginalDisplayBcc),
    ):
        if body := original.get(name):
            props[tag] = "; ".join(one.display for one in addresses.parse(body))[:4000]
    if (body := original.get(b"from")) and (found := addresses.parse(body)):
        kind, plain = addresses.split_type(found[0].address)
        props[tags.PidTagOriginalSenderName] = found[0].display
        props[tags.PidTagOriginalSenderAddressType] = kind
        props[tags.PidTagOriginalSenderEmailAddress] = plain
        props[tags.PidTagOriginalSenderEntryId] = addresses.one_off(found[0].display, kind, plain)
        props[tags.PidTagOriginalSenderSearchKey] = addresses.search_key(kind, plain)


def _disposition(props: Bag, fields: Headers) -> None:
    # MS-OXCMAIL 2.2.3.7
    if text := _value(fields, b"original-message-id"):
        props[tags.PidTagOriginalMessageId] = text[:1000]
    if key := _value(fields, b"x-msexch-correlation-key"):
        with suppress(binascii.Error):  # a damaged key correlates with nothing
            props[tags.PidTagParentKey] = binascii.a2b_base64(key.encode("latin-1", "replace"))
    if (
        text := _typed(_value(fields, b"original-recipient"))[1]
        or _typed(_value(fields, b"final-recipient"))[1]
    ):
        props[tags.PidTagOriginalDisplayTo] = _value(fields, b"x-display-name") or text


def _recipients(status: Status, reported: int | None) -> list[Bag]:
    weights = [_ACTIONS.get(_action(group), (-1, ""))[0] for group in status.recipients]
    heaviest = max(weights, default=-1)
    rows: list[Bag] = []
    for fields, weight in zip(status.recipients, weights, strict=True):
        if weight != heaviest:
            continue  # MS-OXCMAIL 2.2.3.7.1, step 3.1
        address = (
            _typed(_value(fields, b"final-recipient"))[1] or _typed(_value(fields, b"original-recipient"))[1]
        )
        name = _value(fields, b"x-display-name")
        row = recipient_row(Address(name, address.strip("<>")), 1)
        _reasons(row, fields)
        if reported is not None:
            row[tags.PidTagReportTime] = reported
        rows.append(row)
    return rows


def _reasons(row: Bag, fields: Headers) -> None:
    remote = _typed(_value(fields, b"remote-mta"))[1]
    if remote:
        row[tags.PidTagRemoteMessageTransferAgent] = remote
    status = _value(fields, b"status")
    diagnostic = _typed(_value(fields, b"diagnostic-code"))[1]
    supplementary = _value(fields, b"x-supplementary-info")
    if match := _STATUS.search(status):
        kind, subject, detail = (int(number) for number in match.groups())
        subject, detail = (number if number <= 9 else 0 for number in (subject, detail))
        row[tags.PidTagNonDeliveryReportStatusCode] = kind * 100 + subject * 10 + detail  # 2.2.3.7.1.3
        code, reason = diagnosis(subject, detail)
        row[tags.PidTagNonDeliveryReportDiagCode] = code
        row[tags.PidTagNonDeliveryReportReasonCode] = reason
        if not supplementary:  # 2.2.3.7.1
            supplementary = (
                f"<{remote + ' ' if remote else ''}#{match[0]}{' ' + diagnostic if diagnostic else ''}>"
            )
    if supplementary:
        row[tags.PidTagSupplementaryInfo] = supplementary[:4000]
    delivered = _date(fields, b"last-attempt-date")
    if delivered is not None and _action(fields) != "failed":
        row[tags.PidTagDeliverTime] = delivered


# MAPI diagnostic and reason codes by the meaning of RFC 3463's subject and detail.
_DIAGNOSES: Mapping[tuple[int, int], tuple[int, int]] = {
    (1, 1): (0, 0),  # name unrecognized
    (1, 2): (0, 0),
    (1, 3): (11, 1),  # parameters invalid
    (1, 4): (1, 0),  # name ambiguous
    (1, 6): (43, 0),  # moved, new address unknown
    (1, 7): (11, 1),
    (2, 1): (4, 0),  # recipient unavailable
    (2, 2): (13, 0),  # mailbox full: size constraint
    (2, 3): (7, 0),  # content too long
    (2, 4): (30, 0),  # list expansion failed
    (3, 1): (2, 0),  # congested
    (3, 4): (7, 0),
    (4, 6): (3, 0),  # loop detected
    (4, 7): (5, 0),  # maximum time expired
    (5, 3): (16, 0),  # too many recipients
    (6, 1): (15, 2),  # content type unsupported
    (6, 3): (8, 2),  # impractical to convert
    (7, 1): (29, 5),  # no permission
}
NO_DIAGNOSIS = -1


def diagnosis(subject: int, detail: int) -> tuple[int, int]:
    """PidTagNonDeliveryReportDiagCode and ReasonCode of a status code's last two numbers."""
    return _DIAGNOSES.get((subject, detail), (NO_DIAGNOSIS, 0))


def recipient_row(address: Address, kind: int) -> Bag:
    """One row of the recipient table (MS-OXCMAIL 2.2.3.1): `kind` is 1 To, 2 Cc or 3 Bcc."""
    address_type, plain = addresses.split_type(address.address)
    name = address.display
    entry_id = addresses.one_off(name, address_type, plain)
    row: Bag = {
        tags.PidTagRecipientType: kind,
        tags.PidTagDisplayName: name,
        tags.PidTagRecipientDisplayName: name,
        tags.PidTagTransmittableDisplayName: name,
        tags.PidTagAddressType: address_type,
        tags.PidTagEmailAddress: plain,
        tags.PidTagEntryId: entry_id,
        tags.PidTagRecipientEntryId: entry_id,
        tags.PidTagSearchKey: addresses.search_key(address_type, plain),
        tags.PidTagObjectType: 6,  # a mail user
        tags.PidTagDisplayType: 0,
        tags.PidTagRecipientFlags: 1,  # sendable
        tags.PidTagRecipientTrackStatus: 0,
        tags.PidTagResponsibility: True,
        tags.PidTagSendRichInfo: False,
        tags.PidTagSendInternetEncoding: 0,
    }
    if address_type == addresses.SMTP:
        row[tags.PidTagSmtpAddress] = plain
    return row
