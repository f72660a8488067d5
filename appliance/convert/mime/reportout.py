"""The machine-readable part of reports: delivery status (RFC 3464) and disposition (RFC 8098).

MS-OXCMAIL 2.1.3.6: what the report object says of the message and of each recipient becomes fields.
"""

import binascii
from collections.abc import Iterator
from typing import NamedTuple

from appliance.convert.mime.envelope import REPRESENTING, SENDER
from appliance.convert.mime.fields import Identity, group_address, number_of, recipient_address, text_of
from appliance.formats.mime.dates import format_date
from appliance.formats.mime.render import Entity, Header, header_block
from appliance.formats.mime.words import encode_words
from appliance.mapi import tags
from appliance.mapi.objects import MessageObject
from appliance.mapi.types import ReadableBag

_ACTIONS = (  # MS-OXCMAIL 2.1.3.6.1.1, the longer endings first
    (".EXPANDED.DR", "expanded", "2.0.0"),
    (".RELAYED.DR", "relayed", "2.0.0"),
    (".DELAYED", "delayed", "4.0.0"),
    (".DR", "delivered", "2.0.0"),
    (".NDR", "failed", "5.0.0"),
)


class StatusPart(NamedTuple):
    """The entity and the report-type parameter that announces it."""

    entity: Entity
    report_type: str


def status_entity(message: MessageObject, identity: Identity) -> StatusPart:
    """The status part of a report object, by its message class."""
    upper = text_of(message.props, tags.PidTagMessageClass).upper()
    if upper.endswith((".IPNRN", ".IPNNRN")):
        body = header_block(_disposition(message, identity, upper.endswith(".IPNRN")))
        return StatusPart(_entity("message/disposition-notification", body), "disposition-notification")
    action, status = next(
        ((action, status) for ending, action, status in _ACTIONS if upper.endswith(ending)),
        ("failed", "5.0.0"),
    )
    groups = [header_block(_message_fields(message, identity))]
    groups.extend(
        header_block(_recipient_fields(row, identity, action, status)) for row in message.recipients
    )
    return StatusPart(_entity("message/delivery-status", b"".join(groups)), "delivery-status")


def _entity(kind: str, body: bytes) -> Entity:
    return Entity([(b"Content-Type", kind.encode("ascii"))], [body.removesuffix(b"\r\n")])


def _typed(kind: str, value: str) -> bytes:
    return f"{kind};{value}".encode("ascii", "replace")


def _message_fields(message: MessageObject, identity: Identity) -> Iterator[Header]:
    mta = text_of(message.props, tags.PidTagReportingMessageTransferAgent) or identity.domain
    yield b"Reporting-MTA", _typed("dns", mta)


def _recipient_fields(row: ReadableBag, identity: Identity, action: str, fallback: str) -> Iterator[Header]:
    # MS-OXCMAIL 2.1.3.6.1
    found = recipient_address(row, identity.domain)
    yield b"Final-Recipient", _typed("rfc822", found.address if found else "")
    yield b"Action", action.encode("ascii")
    code = number_of(row, tags.PidTagNonDeliveryReportStatusCode)
    status = fallback
    if code is not None and 200 <= code < 600:
        status = f"{code // 100}.{code // 10 % 10}.{code % 10}"
    yield b"Status", status.encode("ascii")
    if remote := text_of(row, tags.PidTagRemoteMessageTransferAgent):
        yield b"Remote-MTA", _typed("dns", remote)
    if extra := text_of(row, tags.PidTagSupplementaryInfo):
        yield b"X-Supplementary-Info", encode_words(extra)
    if found and found.name and found.name != found.address:
        yield b"X-Display-Name", encode_words(found.name)
    if (moment := number_of(row, tags.PidTagDeliverTime)) is not None:
        yield b"Last-Attempt-Date", format_date(moment)


def _disposition(message: MessageObject, identity: Identity, read: bool) -> Iterator[Header]:
    # MS-OXCMAIL 2.1.3.6.2
    props = message.props
    who = group_address(props, SENDER, identity.domain) or group_address(props, REPRESENTING, identity.domain)
    yield b"Final-Recipient", _typed("rfc822", who.address if who else "")
    kind = "displayed" if read else "deleted"
    yield b"Disposition", f"automatic-action/MDN-sent-automatically; {kind}".encode("ascii")
    key = props.get(tags.PidTagParentKey)
    if isinstance(key, bytes) and key:
        yield b"X-MSExch-Correlation-Key", binascii.b2a_base64(key, newline=False)
    if original := text_of(props, tags.PidTagOriginalMessageId):
        yield b"Original-Message-ID", original.encode("ascii", "ignore")
    if who and who.name and who.name != who.address:
        yield b"X-Display-Name", encode_words(who.name)
