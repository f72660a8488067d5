"""The write functions of the queue runner: what became of recipients, and the end of a round.

A round is one attempt at everybody who still waits. Each outcome is committed by `settle` before the next
step is taken; `close_round` decides what follows: a report to the sender, another attempt, or the end.
All are pure; an entry that was dropped meanwhile is left alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from appliance.directory import entries
from appliance.mailbox.incoming import Incoming
from appliance.store import queue
from appliance.store.errors import NotFound
from appliance.store.kv import WriteTxn
from appliance.store.queue import QueueEntry, QueueRecipient, State
from appliance.transport import dsn, retry
from appliance.transport.acceptance import STATUS_CODES, Mail, NobodyTook, Recipient, accept

UNREPORTED_WAIT = retry.DELAYS[0]
"""How long settled recipients wait whose report cannot be made yet (FILETIME units)."""


def settle(txn: WriteTxn, number: int, outcomes: Sequence[QueueRecipient]) -> None:
    """Note what became of some recipients of an entry."""
    try:
        entry = queue.get(txn, number)
    except NotFound:
        return
    by_address = {outcome.address: outcome for outcome in outcomes}
    recipients = tuple(by_address.get(r.address, r) if r.pending else r for r in entry.recipients)
    telling = sorted((o for o in outcomes if o.answer), key=lambda o: (o.pending, o.state is State.FAILED))
    last = telling[-1].answer if telling else entry.last_answer
    queue.update(txn, replace(entry, recipients=recipients, last_answer=last))


def deliver_here(txn: WriteTxn, number: int, addresses: Sequence[str], incoming: Incoming, now: int) -> None:
    """Deliver to recipients of an entry that are ours. From here on another entry (if any) speaks for
    them: one that `accept` made."""
    try:
        entry = queue.get(txn, number)
    except NotFound:
        return
    ours = [r for r in entry.pending if r.address in addresses]
    user = entries.by_mailbox(txn, entry.mailbox) if entry.mailbox else None
    mail = Mail(
        user=user,
        sender=entry.sender,
        recipients=tuple(Recipient(r.address, r.notify, r.orcpt) for r in ours),
        incoming=incoming,
        received=entry.prefix,
        now=now,
        body=entry.body,
        smtputf8=entry.smtputf8,
        ret=entry.ret,
        envid=entry.envid,
        origin=entry.origin,
        trusted=user is None,  # mail from outside was judged when it came, reports go to anybody
        arrived=entry.arrived,
        attempts=entry.attempts + 1,
    )
    try:
        accept(txn, mail)
    except NobodyTook as nobody:
        status = "5.4.6" if nobody.looped else STATUS_CODES.get(nobody.verdict, "5.1.1")
        outcomes = [
            replace(r, state=State.FAILED, status=status, answer=dsn.clean(str(nobody))) for r in ours
        ]
    else:
        outcomes = [replace(r, state=State.DELEGATED, status="2.1.5", answer="delivered") for r in ours]
    settle(txn, number, outcomes)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a round ends: the entry as it was seen, who is given up, whether the round was an attempt, and
    the reports that were made ready for it."""

    entry: QueueEntry
    given_up: tuple[str, ...]
    attempted: bool
    now: int
    report: Mail | None = None
    warning: Mail | None = None
    may_report: bool = True


def give_up(entry: QueueEntry) -> QueueEntry:
    """Whoever still waits has failed: time is over (RFC 3463 X.4.7)."""
    recipients = tuple(
        replace(r, state=State.FAILED, status="5.4.7", answer=dsn.clean(f"time is over; last: {r.answer}"))
        if r.pending
        else r
        for r in entry.recipients
    )
    return replace(entry, recipients=recipients)


def close_round(txn: WriteTxn, ending: Ending) -> bool:
    """End a round. Whether a report went out (False also where nobody took it: a report is never
    reported)."""
    try:
        entry = queue.get(txn, ending.entry.id)
    except NotFound:
        return False
    if entry.recipients != ending.entry.recipients:
        return False  # somebody changed it meanwhile: the next round sees to it
    sent = ending.report is None or _send(txn, ending.report)
    if ending.warning is not None:
        _send(txn, ending.warning)
    if ending.given_up:
        entry = give_up(entry)
    left = entry.pending if ending.may_report else tuple(r for r in entry.recipients if _is_open(entry, r))
    if not left:
        queue.remove(txn, entry.id)
        return sent
    attempts = entry.attempts + ending.attempted
    wait = retry.delay(max(attempts, 1)) if entry.pending else UNREPORTED_WAIT
    queue.update(
        txn,
        replace(
            entry,
            recipients=left,
            attempts=attempts,
            warned=entry.warned or ending.warning is not None,
            next_attempt=ending.now + wait,
        ),
    )
    return sent


def _is_open(entry: QueueEntry, recipient: QueueRecipient) -> bool:
    return recipient.pending or (bool(entry.sender) and dsn.is_owed(recipient))


def _send(txn: WriteTxn, mail: Mail) -> bool:
    try:
        accept(txn, mail)
    except NobodyTook:
        return False
    return True
