"""Free/busy: who may ask for it, and its publication in the public store (MS-OXOPFFB 3.2).

Below SCHEDULE+ FREE BUSY there is a folder for the administrative group, `EX:` and the distinguished name up
to its first `/cn` (3.1.4.1.2.2), in it a message for each mailbox, found by its Message-ID and named after
the rest of the name (`USER-/CN=RECIPIENTS/CN=...`). A message tells the months from the current week or month
on; it is written only when what it tells changes. The public store is made with the first publication.
"""

from dataclasses import dataclass

from appliance.convert import freebusy
from appliance.convert.freebusy import Span, Status
from appliance.directory import entries
from appliance.directory.model import WITH_MAILBOX, Entry
from appliance.formats import bags
from appliance.mailbox import calendar, public, rights
from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import Reason, Refused
from appliance.mapi import tags, times
from appliance.mapi.types import Bag
from appliance.store import contents, folders, mailboxes, messages, permissions
from appliance.store.contents import RowFlag
from appliance.store.edit import Edit, editing
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import PublicSpecial, Special
from appliance.store.messages import NewMessage
from appliance.store.permissions import Right

MONTHS = 12
"""Months that are published, the current one included."""

MAX_STRETCH = 400 * 24 * 60
"""Minutes that may be asked for at once."""

CLASS = "IPM.Post"
_SIZE = 1024  # of the object; free/busy messages count little against any quota


@dataclass(frozen=True, slots=True)
class Seeds:
    """What a publication cannot make itself: 16 random bytes twice, for a public store that is not there
    yet, and a first UIDVALIDITY."""

    mailbox_guid: bytes
    replica_guid: bytes
    uidvalidity: int


def availability(txn: ReadTxn, actor: Actor, mailbox: int, start: int, stop: int) -> list[Span]:
    """The times of a mailbox between two moments (minutes since 1601, UTC) that are not free, cut to them,
    in order. Raises Refused: ACCESS_DENIED without a right to it, INVALID for too long a stretch.

    A calendar whose rights nobody has set tells its times to everybody in the organization."""
    if not 0 <= stop - start <= MAX_STRETCH:
        raise Refused(Reason.INVALID, "too long a stretch of time")
    if permissions.members(txn, mailbox, Special.CALENDAR) or not actor.user:
        have = rights.effective(txn, actor, mailbox, Special.CALENDAR)
        if not have & (Right.FREE_BUSY_SIMPLE | Right.FREE_BUSY_DETAILED | Right.READ_ANY):
            raise Refused(Reason.ACCESS_DENIED)
    found = calendar.spans(txn, mailbox, start, stop)
    cut = (Span(max(span.start, start), min(span.end, stop), span.status) for span in found)
    return sorted(span for span in cut if span.status is not Status.FREE)


def told(txn: ReadTxn, entry: Entry, now: int) -> Bag:
    """What the message of a mailbox tells at a time (FILETIME)."""
    moment = times.to_minutes(now)
    spans = calendar.spans(txn, entry.mailbox, *freebusy.publishing_range(moment, MONTHS))
    bag = freebusy.to_bag(spans, moment, MONTHS)
    bag[tags.PidTagFreeBusyMessageEmailAddress] = entry.legacy_dn
    bag[tags.PidTagScheduleInfoDelegatorWantsCopy] = True
    bag[tags.PidTagScheduleInfoDontMailDelegates] = False
    bag[tags.PidTagScheduleInfoDelegatorWantsInfo] = False
    return bag


def published(txn: ReadTxn, entry: Entry) -> Bag | None:
    """What is published of a mailbox; None before the first publication."""
    store = public.find(txn)
    found = None if store is None else _find(txn, store, entry)
    return None if found is None or store is None else messages.load(txn, store, found[1]).bag()


def is_current(txn: ReadTxn, entry: Entry, now: int) -> bool:
    """Whether what is published is what the calendar says. Of a calendar that has nothing to tell nothing
    need ever be published."""
    bag, wanted = published(txn, entry), told(txn, entry, now)
    if bag is None:
        return not _TOLD & wanted.keys()
    return all(bag.get(tag) == wanted.get(tag) for tag in wanted.keys() | (_TOLD & bag.keys()))


def publish(txn: WriteTxn, id: int, seeds: Seeds, now: int) -> bool:
    """Write the message of a directory entry's mailbox, or take it away with the mailbox; whether anything
    was written. `now`: FILETIME."""
    entry = entries.find(txn, id)
    if entry is None or entry.kind not in WITH_MAILBOX or not entry.mailbox or is_current(txn, entry, now):
        return False
    store = public.find(txn)
    if store is None:
        store = _make_store(txn, seeds, now)
    group, subject = _names(entry)
    folder = _folder(txn, store, group, now)
    wanted = told(txn, entry, now)
    wanted |= {
        tags.PidTagMessageClass: CLASS,
        tags.PidTagSubject: subject,
        tags.PidTagNormalizedSubject: subject,
        tags.PidTagInternetMessageId: _message_id(entry),
        tags.PidTagFreeBusyRangeTimestamp: now,
        tags.PidTagCreationTime: now,
        tags.PidTagMessageDeliveryTime: now,
    }
    new = NewMessage(
        blob=0,
        size=_SIZE,
        bag=bags.pack(wanted),
        message_class=CLASS,
        flags=RowFlag.SEEN | RowFlag.MATERIALIZED,
        received=now,
        message_id=_message_id(entry),
    )
    with editing(txn, store, now=now) as edit:
        _put(edit, folder, new, entry)
    return True


def _put(edit: Edit, folder: int, new: NewMessage, entry: Entry) -> None:
    found = _find(edit.txn, edit.mailbox, entry)
    if found is None:
        messages.insert(edit, folder, new)
    else:
        messages.rewrite(edit, contents.get(edit.txn, edit.mailbox, *found), new)


def _find(txn: ReadTxn, store: int, entry: Entry) -> tuple[int, int] | None:
    """FID and MID of the message of an entry."""
    return next(messages.by_message_id(txn, store, _message_id(entry)), None)


def _message_id(entry: Entry) -> str:
    return f"<{entry.object_guid.hex()}@free-busy.invalid>"


def _names(entry: Entry) -> tuple[str, str]:
    """The names of the folder and of the message: the distinguished name in two, where its first `/cn` is."""
    at = f"{entry.legacy_dn}/cn".lower().find("/cn")
    return f"EX:{entry.legacy_dn[:at]}", f"USER-{entry.legacy_dn[at:].upper()}"


def _make_store(txn: WriteTxn, seeds: Seeds, now: int) -> int:
    return public.create_store(
        txn, guids=(seeds.mailbox_guid, seeds.replica_guid), uidvalidity=seeds.uidvalidity, now=now
    )


def _folder(txn: WriteTxn, store: int, name: str, now: int) -> int:
    """The folder of an administrative group, made on first need: everybody reads it and may add to it."""
    found = folders.lookup(txn, store, PublicSpecial.FREE_BUSY, name)
    if found is not None:
        return found
    with mailboxes.changing(txn, store) as clock:
        made = folders.create(txn, clock, PublicSpecial.FREE_BUSY, name, now=now)
    permissions.put(txn, store, made.fid, permissions.DEFAULT, rights.ROLES["author"])
    permissions.put(txn, store, made.fid, permissions.ANONYMOUS, rights.ROLES["none"])
    return made.fid


_TOLD = frozenset(
    {
        tags.PidTagScheduleInfoMonthsTentative,
        tags.PidTagScheduleInfoFreeBusyTentative,
        tags.PidTagScheduleInfoMonthsBusy,
        tags.PidTagScheduleInfoFreeBusyBusy,
        tags.PidTagScheduleInfoMonthsAway,
        tags.PidTagScheduleInfoFreeBusyAway,
        tags.PidTagScheduleInfoMonthsMerged,
        tags.PidTagScheduleInfoFreeBusyMerged,
    }
)
"""The lists: one that is published but no longer told is out of date."""
