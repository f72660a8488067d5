"""NOTIFY (RFC 5465)."""

from dataclasses import dataclass

from appliance.protocols.imap.errors import Bad, No
from appliance.protocols.imap.fetch_grammar import Item, parse_items
from appliance.protocols.imap.limits import MAX_NOTIFY_MAILBOXES
from appliance.protocols.imap.notify import Event, Filter, Group, Notifications
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import LOGGED_ON, Command, Done
from appliance.protocols.imap.tokens import Cursor

_UNSUPPORTED = frozenset({b"ANNOTATIONCHANGE", b"MAILBOXMETADATACHANGE", b"SERVERMETADATACHANGE"})
_MESSAGE = frozenset({Event.MESSAGE_NEW, Event.MESSAGE_EXPUNGE, Event.FLAG_CHANGE})
_SELECTED = (Filter.SELECTED, Filter.SELECTED_DELAYED)
BADEVENT = b"BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange)"


@dataclass(frozen=True, slots=True)
class Request:
    """What to tell; no groups is NONE."""

    groups: tuple[Group, ...]
    status: bool = False


def parse(cursor: Cursor) -> Request:
    """NONE, or SET [STATUS] event-groups."""
    cursor.space()
    word = cursor.word("SET or NONE")
    if word == b"NONE":
        cursor.end()
        return Request(())
    if word != b"SET":
        raise Bad("Expected SET or NONE.")
    status = cursor.accept(b" STATUS")
    groups: list[Group] = []
    while cursor.accept(b" "):
        groups.append(_group(cursor))
        if len(groups) > MAX_NOTIFY_MAILBOXES:
            raise Bad("Too many event groups.")
    cursor.end()
    if not groups:
        raise Bad("Expected an event group.")
    if sum(group.filter in _SELECTED for group in groups) > 1:
        raise Bad("SELECTED may stand once.")  # RFC 5465 6.1
    return Request(tuple(groups), status)


def _group(cursor: Cursor) -> Group:
    cursor.require(b"(")
    word = cursor.word("a mailbox filter")
    try:
        kind = Filter(word)
    except ValueError as error:
        raise Bad("Unknown mailbox filter.") from error
    names: tuple[str, ...] = ()
    if kind in (Filter.SUBTREE, Filter.MAILBOXES):
        cursor.space()
        if cursor.peek() == b"(":
            names = tuple(cursor.items(cursor.mailbox, empty=False, limit=MAX_NOTIFY_MAILBOXES))
        else:
            names = (cursor.mailbox(),)
    cursor.space()
    events, items = _events(cursor)
    cursor.require(b")")
    _check(kind, events, items)
    return Group(kind, names, events, items)


def _events(cursor: Cursor) -> tuple[frozenset[Event], tuple[Item, ...]]:
    if cursor.peek() != b"(":
        if cursor.word("events") != b"NONE":
            raise Bad("Expected events or NONE.")
        return frozenset(), ()
    cursor.require(b"(")
    events: set[Event] = set()
    items: tuple[Item, ...] = ()
    while True:
        word = cursor.word("an event")
        if word in _UNSUPPORTED:
            raise No("That event is not supported.", BADEVENT)
        try:
            events.add(Event(word))
        except ValueError as error:
            raise No("Unknown event.", BADEVENT) from error
        if word == Event.MESSAGE_NEW.value and cursor.accept(b" ("):
            cursor.back(1)
            items = parse_items(cursor)
        if cursor.accept(b")"):
            return frozenset(events), items
        cursor.space()


def _check(kind: Filter, events: frozenset[Event], items: tuple[Item, ...]) -> None:
    pair = {Event.MESSAGE_NEW, Event.MESSAGE_EXPUNGE}
    if events & pair and not events >= pair:
        raise Bad("MessageNew and MessageExpunge belong together.")  # RFC 5465 5
    if Event.FLAG_CHANGE in events and not events >= pair:
        raise Bad("FlagChange needs MessageNew and MessageExpunge.")
    if kind in _SELECTED and events - _MESSAGE:
        raise Bad("Only message events are of the selected mailbox.")
    if items and kind not in _SELECTED:
        raise Bad("Only of the selected mailbox can messages be fetched.")


async def run(session: Session, request: Request) -> Done:
    """Begin, change or end the telling."""
    if session.notifications is not None:
        session.notifications.close()
        session.notifications = None
    if request.groups:
        session.notifications = Notifications(session, request.groups)
        if request.status:
            session.write(*session.notifications.initial(session))
    return Done("Notify completed.")


COMMAND = Command(b"NOTIFY", LOGGED_ON, parse, run)
