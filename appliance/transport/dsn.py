"""Delivery status notifications: what is owed to a sender, and the report (RFC 3461, 3464, 6533).

Pure. `owed` picks the recipients that a report is to speak of; `Report.render` gives the message in pieces,
with the original (or its header section) read in pieces from where it lies.

Rules:
- Nothing is ever reported to the null sender, and reports have it: no report is answered by a report.
- NOTIFY=NEVER silences everything; without NOTIFY, failures and delays are told (RFC 3461 4.1, 6.2).
- RET counts for failures alone; other reports bring the headers back (RFC 3461 4.3).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from appliance.store.queue import Notify, QueueEntry, QueueRecipient, State
from appliance.transport.addresses import encode_utf8_address, encode_xtext
from appliance.transport.trace import date_field

MAX_RETURNED = 1 << 20
"""Octets of an original that come back whole; of a bigger one only the headers do."""

MAX_ANSWER = 900
"""Characters of a server's answer that are kept and told."""

_ACTIONS = {
    State.PENDING: "delayed",
    State.FAILED: "failed",
    State.DELIVERED: "delivered",
    State.RELAYED: "relayed",
    State.EXPANDED: "expanded",
}
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")
_INTRODUCTION = {
    "failed": "Your message could not be delivered to these recipients:",
    "delayed": "Your message has not reached these recipients yet. You need not send it again;\r\n"
    "the server goes on trying:",
    "delivered": "Your message was delivered to these recipients:",
    "relayed": "Your message was passed on for these recipients, to servers that do not report further:",
    "expanded": "Your message was passed on to the members of these groups:",
}
_SUBJECTS = {
    "failed": "Undelivered mail returned to sender",
    "delayed": "Delivery delayed",
    "delivered": "Delivery report",
    "relayed": "Delivery report",
    "expanded": "Delivery report",
}


def is_owed(recipient: QueueRecipient) -> bool:
    """Whether the outcome of a settled recipient is to be reported."""
    if Notify.NEVER in recipient.notify:
        return False
    if recipient.state is State.FAILED:
        return not recipient.notify or Notify.FAILURE in recipient.notify
    if recipient.state in (State.DELIVERED, State.RELAYED, State.EXPANDED):
        return Notify.SUCCESS in recipient.notify
    return False


def owed(entry: QueueEntry) -> tuple[QueueRecipient, ...]:
    """The settled recipients that a report to the sender speaks of."""
    if not entry.sender:
        return ()
    return tuple(recipient for recipient in entry.recipients if is_owed(recipient))


def owed_warning(entry: QueueEntry) -> tuple[QueueRecipient, ...]:
    """The waiting recipients of whom the sender is told that they wait."""
    if not entry.sender:
        return ()
    return tuple(r for r in entry.pending if not r.notify or Notify.DELAY in r.notify)


def clean(answer: str) -> str:
    """A server's answer as it is kept: one line of printable ASCII, bounded."""
    return _UNPRINTABLE.sub(" ", answer).strip()[:MAX_ANSWER]


@dataclass(frozen=True, slots=True)
class Original:
    """The message that a report is about: its header section (without the empty line), its size, whether
    its content has octets above 127 or is binary, and a way to read it whole."""

    head: bytes
    size: int
    eight_bit: bool
    binary: bool
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Report:
    """A report on `recipients` of `entry`. `retry_until` is when waiting ends, 0 where nobody waits."""

    entry: QueueEntry
    recipients: Sequence[QueueRecipient]
    hostname: str
    token: str
    now: int
    retry_until: int = 0

    @property
    def _actions(self) -> list[str]:
        found = {_ACTIONS[recipient.state] for recipient in self.recipients}
        return [action for action in _INTRODUCTION if action in found]

    @property
    def returns_all(self) -> bool:
        """Whether the whole original comes back."""
        if "failed" not in self._actions or self.entry.ret == "HDRS":
            return False
        return self.entry.size <= MAX_RETURNED

    @property
    def needs_utf8(self) -> bool:
        """Whether the report itself needs SMTPUTF8: it brings UTF-8 headers back, or goes to such an
        address."""
        return self.entry.smtputf8 or not self.entry.sender.isascii()

    def render(self, original: Original) -> Iterator[bytes]:
        """The report as a message, in pieces."""
        boundary = f"=_{self.token}_report"
        yield self._headers(boundary, original)
        yield self._part(boundary, "text/plain; charset=us-ascii", self._text())
        yield self._part(boundary, "message/delivery-status", self._status())
        yield from self._returned(boundary, original)
        yield f"\r\n--{boundary}--\r\n".encode()

    def _headers(self, boundary: str, original: Original) -> bytes:
        subject = _SUBJECTS[self._actions[0]]
        encoding = "8bit" if original.eight_bit or not original.head.isascii() else "7bit"
        return (
            f"From: Mail Delivery System <postmaster@{self.hostname}>\r\n"
            f"To: <{self.entry.sender}>\r\n"
            f"Subject: {subject}\r\n"
            f"Date: {date_field(self.now)}\r\n"
            f"Message-ID: <{self.token}@{self.hostname}>\r\n"
            "Auto-Submitted: auto-replied\r\n"  # RFC 3834 5
            "MIME-Version: 1.0\r\n"
            "Content-Type: multipart/report; report-type=delivery-status;\r\n"
            f'\tboundary="{boundary}"\r\n'
            f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
            "This is a report in MIME format.\r\n"
        ).encode()

    @staticmethod
    def _part(boundary: str, content_type: str, body: str) -> bytes:
        return f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\n\r\n{body}".encode("ascii", "replace")

    def _text(self) -> str:
        lines = [f"This is the mail system at {self.hostname}.", ""]
        for action in self._actions:
            lines += [_INTRODUCTION[action], ""]
            for recipient in self.recipients:
                if _ACTIONS[recipient.state] != action:
                    continue
                lines.append(f"  <{encode_utf8_address(recipient.address)}>")
                if recipient.answer:
                    said = f" ({recipient.mta} said)" if recipient.mta else ""
                    lines.append(f"    {clean(recipient.answer)}{said}")
            lines.append("")
        if self.retry_until:
            lines += [f"The server gives up on {date_field(self.retry_until)}.", ""]
        return "\r\n".join(lines)

    def _status(self) -> str:
        """RFC 3464 2.2 and 2.3."""
        lines = [f"Reporting-MTA: dns; {self.hostname}"]
        if self.entry.envid:
            lines.append(f"Original-Envelope-Id: {clean(self.entry.envid)}")
        lines.append(f"Arrival-Date: {date_field(self.entry.arrived)}")
        for recipient in self.recipients:
            lines.append("")
            lines += self._recipient(recipient)
        return "\r\n".join(lines) + "\r\n"

    def _recipient(self, recipient: QueueRecipient) -> Iterator[str]:
        if recipient.orcpt:
            kind, _, address = recipient.orcpt.partition(";")
            shown = address if address.isascii() else encode_utf8_address(address)
            yield f"Original-Recipient: {kind}; {clean(shown)}"
        yield f"Final-Recipient: {_typed(recipient.address)}"
        action = _ACTIONS[recipient.state]
        yield f"Action: {action}"
        yield f"Status: {recipient.status or ('4.0.0' if action == 'delayed' else '2.0.0')}"
        if recipient.mta:
            yield f"Remote-MTA: dns; {clean(recipient.mta)}"
            if recipient.answer:
                yield f"Diagnostic-Code: smtp; {clean(recipient.answer)}"
        elif recipient.answer:
            yield f"Diagnostic-Code: X-Satchel; {clean(recipient.answer)}"
        yield f"Last-Attempt-Date: {date_field(self.now)}"
        if action == "delayed" and self.retry_until:
            yield f"Will-Retry-Until: {date_field(self.retry_until)}"

    def _returned(self, boundary: str, original: Original) -> Iterator[bytes]:
        """RFC 3464 2 (the third part), RFC 6533 4."""
        unicode = not original.head.isascii()
        whole = self.returns_all and not original.binary
        if whole:
            content_type = "message/global" if unicode else "message/rfc822"
        else:
            content_type = "message/global-headers" if unicode else "text/rfc822-headers"
        eight_bit = unicode or (whole and original.eight_bit)
        encoding = "Content-Transfer-Encoding: 8bit\r\n" if eight_bit else ""
        yield f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\n{encoding}\r\n".encode()
        if whole:
            yield from original.pieces
        else:
            yield original.head


def _typed(address: str) -> str:
    return f"rfc822; {address}" if address.isascii() else f"utf-8; {encode_utf8_address(address)}"


def orcpt_parameter(recipient: QueueRecipient) -> str:
    """ORCPT as it is sent on (RFC 3461 4.2): what the sender gave, else the address as we have it."""
    kind, _, address = (recipient.orcpt or f"rfc822;{recipient.address}").partition(";")
    if kind.lower() == "utf-8" or not address.isascii():
        return f"utf-8;{encode_utf8_address(address)}"
    return f"{kind};{encode_xtext(address)}"
