"""Taking a message in: who may send to whom, and the one transaction in which it arrives.

`judge_sender` and `judge_expansion` answer while the envelope is spoken, from a snapshot. `accept` is the
write function: it follows every recipient to its end (aliases, details, groups), delivers to all mailboxes
with one stored copy, and leaves one queue entry for everybody else: recipients elsewhere, mailboxes that
refused for now, outcomes that somebody asked to be told of. What was accepted is therefore either in a
mailbox or in the queue.

Invariants:
- Nobody gets a message twice, however many ways lead to him.
- Mail is passed on to other domains only for authenticated senders, or because an entry of the directory
  (contact, group) says so.
- `accept` is pure; a message that nobody could take raises `NobodyTook`, and nothing of it is kept, unless
  the sender is to have a report.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from appliance.directory import domains, entries, resolve
from appliance.directory.addresses import BadAddress, parse
from appliance.directory.model import Entry
from appliance.directory.resolve import Expansion, SendAs, Status
from appliance.mailbox.deliver import Outcome, Target, deliver, is_full
from appliance.mailbox.errors import Reason
from appliance.mailbox.incoming import Incoming
from appliance.store import blobs, queue
from appliance.store.contents import RowFlag
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.queue import Notify, Origin, QueueEntry, QueueRecipient, State
from appliance.transport.retry import delay


class Verdict(Enum):
    """What is said about a sender or a recipient."""

    OK = "ok"
    NO_USER = "no such mailbox"
    DISABLED = "mailbox disabled"
    NO_RELAY = "relaying denied"
    REFUSED = "the recipient does not take mail from this sender"
    FULL = "mailbox full"
    BAD = "not an address"
    NOT_YOURS = "not permitted to send as this sender"


_OF_STATUS = {
    Status.FOUND: Verdict.OK,
    Status.EXTERNAL: Verdict.OK,
    Status.UNKNOWN: Verdict.NO_USER,
    Status.DISABLED: Verdict.DISABLED,
    Status.REFUSED: Verdict.REFUSED,
    Status.BAD: Verdict.BAD,
}

STATUS_CODES = {
    Verdict.NO_USER: "5.1.1",
    Verdict.DISABLED: "5.2.1",
    Verdict.NO_RELAY: "5.7.1",
    Verdict.REFUSED: "5.7.1",
    Verdict.FULL: "5.2.2",
    Verdict.BAD: "5.1.3",
}
"""Enhanced codes of verdicts about recipients (RFC 3463)."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient of the envelope. `orcpt` as in QueueRecipient."""

    address: str
    notify: Notify = Notify.NONE
    orcpt: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """A message with its envelope, ready to be accepted. `received` is our Received field without its
    `for`; `passed` the addresses of the Delivered-To fields it arrived with; `user` the authenticated
    sender; `trusted` marks the server's own mail, which every entry takes."""

    sender: str
    recipients: tuple[Recipient, ...]
    incoming: Incoming
    received: bytes
    now: int
    user: Entry | None = None
    passed: frozenset[str] = frozenset()
    body: str = "7BIT"
    smtputf8: bool = False
    ret: str = ""
    envid: str = ""
    origin: Origin = Origin.SMTP
    trusted: bool = False
    arrived: int = 0
    """When a message arrived that has been in the queue before, else 0."""
    attempts: int = 0
    """How often the queue has tried it."""
    version: int = -1
    """The version of the directory that `known` is of."""
    known: Mapping[str, Expansion] = field(default_factory=dict)
    """Expansions that were looked up already, for any sender."""
    reports: bool = False
    """Whether the sender is told by a report also when nobody could be served: there is no reply."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a message: mailboxes that have it, the queue entry for the rest (0: none)."""

    delivered: int
    queued: int


class NobodyTook(Exception):
    """No recipient could be served. `verdict` is the first refusal; `looped` that all were loops."""

    def __init__(self, verdict: Verdict, looped: bool) -> None:
        super().__init__("the message loops" if looped else verdict.value)
        self.verdict = verdict
        self.looped = looped


def judge_sender(txn: ReadTxn, sender: str, user: Entry) -> Verdict:
    """Whether a user's MAIL FROM is taken: users send as themselves or as who lets them. (Mail from outside
    may come from anybody, also from our own domains: mailing lists, machines of the house.)"""
    if not sender:  # users' own reports, such as MDNs, have no sender (RFC 8098 3)
        return Verdict.OK
    return Verdict.NOT_YOURS if resolve.may_send_as(txn, user, sender) is SendAs.NO else Verdict.OK


def judge_author(txn: ReadTxn, user: Entry, addresses: list[str]) -> SendAs:
    """How a user may be the author of a message with these From addresses: the least that holds for all."""
    found = SendAs.SELF
    for address in addresses:
        how = resolve.may_send_as(txn, user, address)
        if how is SendAs.NO:
            return SendAs.NO
        if how is SendAs.ON_BEHALF:
            found = how
    return found


def judge_expansion(txn: ReadTxn, found: Expansion, user: Entry | None, size: int) -> Verdict:
    """Whether RCPT TO is taken, whose address leads to `found`; `size` as declared, -1 when it was not."""
    if found.status is Status.EXTERNAL and found.entry is None and user is None:
        return Verdict.NO_RELAY
    verdict = _OF_STATUS[found.status]
    if verdict is Verdict.OK and len(found.mailboxes) == 1 and not found.external:
        entry, detail = found.mailboxes[0].entry, found.mailboxes[0].detail
        target = Target(entry.mailbox, folder=entry.folder, detail=detail)
        if entry.mailbox and is_full(txn, target, max(size, 1)):
            return Verdict.FULL
    return verdict


def expand(txn: ReadTxn, address: str, user: Entry | None, *, trusted: bool) -> Expansion:
    """`resolve.expand`, with the addresses that a server has to take for its own name."""
    found = resolve.expand(txn, address, user, trusted=trusted)
    if found.status is Status.EXTERNAL and found.entry is None:
        organization = domains.get(txn)
        if address.lower() == f"postmaster@{organization.hostname}":  # RFC 5321 4.5.1
            return resolve.expand(txn, f"postmaster@{organization.domain}", user, trusted=True)
    return found


@dataclass(slots=True)
class _Plan:
    """Where a message goes."""

    known: Mapping[str, Expansion]
    targets: dict[tuple[int, int], tuple[Target, Recipient]] = field(default_factory=dict)
    remote: dict[str, tuple[str, QueueRecipient]] = field(default_factory=dict)
    """By address: the sender it goes out under, and the recipient."""
    settled: list[QueueRecipient] = field(default_factory=list)
    refusals: list[Verdict] = field(default_factory=list)
    loops: int = 0


def accept(txn: WriteTxn, mail: Mail) -> Accepted:
    """Deliver and queue a message. Raises NobodyTook, and the store's errors."""
    plan = _Plan(mail.known if mail.known and mail.version == entries.version(txn) else {})
    for recipient in mail.recipients:
        _plan(txn, mail, recipient, plan)
    ways = list(plan.targets.values())
    outcomes = deliver(txn, mail.incoming, [target for target, _ in ways], now=mail.now)
    queued = [recipient for sender, recipient in plan.remote.values() if sender == mail.sender]
    queued += plan.settled
    delivered, blob = 0, 0
    for outcome, (_, recipient) in zip(outcomes, ways, strict=True):
        if outcome.row is not None:
            delivered, blob = delivered + 1, outcome.row.blob
        queued += _after(outcome, recipient, plan)
    lost = all(entry.state is State.FAILED for entry in queued)
    others = {sender for sender, _ in plan.remote.values()} - {mail.sender}
    if not delivered and lost and not others and not mail.reports:
        raise NobodyTook(plan.refusals[0] if plan.refusals else Verdict.NO_USER, plan.loops > 0)
    if not queued and not others:
        return Accepted(delivered, 0)
    blob = blob or blobs.bind(txn, mail.incoming.prepared, references=0)
    number = queue.insert(txn, _entry(mail, tuple(queued), blob)) if queued else 0
    for owner in sorted(others):
        # RFC 5321 3.9.2: what goes wrong with members is the list's affair; RFC 3461 5.2.7.1: so are reports.
        members = tuple(recipient for sender, recipient in plan.remote.values() if sender == owner)
        listed = replace(mail, sender=owner, ret="", envid="")
        number = queue.insert(txn, _entry(listed, members, blob)) or number
    return Accepted(delivered, number)


def _entry(mail: Mail, recipients: tuple[QueueRecipient, ...], blob: int) -> QueueEntry:
    waits = mail.attempts and any(recipient.pending for recipient in recipients)
    return QueueEntry(
        sender=mail.sender,
        recipients=recipients,
        blob=blob,
        size=mail.incoming.size + len(mail.received),
        arrived=mail.arrived or mail.now,
        next_attempt=mail.now + (delay(mail.attempts) if waits else 0),
        attempts=mail.attempts,
        prefix=mail.received,
        envid=mail.envid,
        ret=mail.ret,
        body=mail.body,
        smtputf8=mail.smtputf8,
        origin=mail.origin,
        mailbox=mail.user.mailbox if mail.user else 0,
    )


def _plan(txn: ReadTxn, mail: Mail, recipient: Recipient, plan: _Plan) -> None:
    found = plan.known.get(recipient.address)
    if found is None:
        found = expand(txn, recipient.address, mail.user, trusted=mail.trusted)
    verdict = _OF_STATUS[found.status]
    if found.status is Status.EXTERNAL and found.entry is None and mail.user is None and not mail.trusted:
        verdict = Verdict.NO_RELAY
    if verdict is not Verdict.OK:
        plan.refusals.append(verdict)
        plan.settled.append(_failed(recipient, STATUS_CODES[verdict], verdict.value))
        return
    member = recipient
    if found.entry is not None and found.entry.is_group:
        if Notify.SUCCESS in recipient.notify:
            plan.settled.append(_settled(recipient, State.EXPANDED, "2.1.5", "expanded to its members"))
        member = _of_group(recipient)
    for target in _targets(found, recipient, mail, plan):
        plan.targets.setdefault((target.mailbox, target.folder), (target, member))
    for external in found.external:
        waiting = QueueRecipient(external.address, member.notify, member.orcpt)
        sender = mail.sender
        if external.group and found.owner and sender:
            sender, waiting = found.owner, QueueRecipient(external.address)
        plan.remote.setdefault(_remote_key(external.address), (sender, waiting))


def _targets(found: Expansion, recipient: Recipient, mail: Mail, plan: _Plan) -> Iterator[Target]:
    for mailbox in found.mailboxes:
        address = mailbox.entry.address if mailbox.group else recipient.address
        if address.lower() in mail.passed:
            plan.loops += 1
            plan.settled.append(_failed(replace(recipient, address=address), "5.4.6", "mail is looping"))
            continue
        yield Target(
            mailbox.entry.mailbox,
            trace_prefix(mail.sender, address, mail.received),
            mailbox.entry.folder,
            mailbox.detail,
            _flags(mail, mailbox.entry.mailbox),
        )


def _flags(mail: Mail, mailbox: int) -> RowFlag:
    """Where a mailbox has a message from (MS-OXCMSG 2.2.1.6: mfFromMe, mfInternet)."""
    if mail.origin is Origin.SMTP:
        return RowFlag.INTERNET if mail.user is None else RowFlag.NONE
    own = mail.user is not None and mail.user.mailbox == mailbox and mail.origin is not Origin.REPORT
    return RowFlag.FROM_ME if own else RowFlag.NONE


def trace_prefix(sender: str, address: str, received: bytes) -> bytes:
    """The header fields that go before a delivered message (RFC 5321 4.4): they are this recipient's, the
    stored bytes are everybody's."""
    return f"Return-Path: <{sender}>\r\nDelivered-To: {address}\r\n".encode("utf-8", "replace") + received


def _remote_key(address: str) -> str:
    try:
        parsed = parse(address)
    except BadAddress:
        return address
    return f"{parsed.local}@{parsed.domain}"


def _of_group(recipient: Recipient) -> Recipient:
    """What the members of a group owe the sender: no success reports, the group gave one (RFC 3461
    5.2.7.3)."""
    notify = recipient.notify & ~Notify.SUCCESS
    if notify is not recipient.notify and not notify:
        notify = Notify.NEVER
    return replace(recipient, notify=notify, orcpt=recipient.orcpt or f"rfc822;{recipient.address}")


def _settled(recipient: Recipient, state: State, status: str, answer: str) -> QueueRecipient:
    return QueueRecipient(recipient.address, recipient.notify, recipient.orcpt, state, status, answer)


def _failed(recipient: Recipient, status: str, answer: str) -> QueueRecipient:
    return _settled(recipient, State.FAILED, status, answer)


def _after(outcome: Outcome, recipient: Recipient, plan: _Plan) -> Iterator[QueueRecipient]:
    """What the queue has to know of a local delivery: successes that are to be reported, refusals."""
    if outcome.refused is None:
        if Notify.SUCCESS in recipient.notify:
            yield _settled(recipient, State.DELIVERED, "2.1.5", "delivered")
        return
    if outcome.refused.reason is Reason.QUOTA:
        plan.refusals.append(Verdict.FULL)
        yield _failed(recipient, "5.2.2", "mailbox full")
    elif outcome.refused.reason is Reason.NOT_FOUND:
        plan.refusals.append(Verdict.NO_USER)
        yield _failed(recipient, "5.2.1", "mailbox is gone")
    else:
        yield QueueRecipient(recipient.address, recipient.notify, recipient.orcpt)
