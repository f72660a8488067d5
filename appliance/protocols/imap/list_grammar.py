"""The grammar of LIST (RFC 9051 6.3.9, RFC 5258, RFC 5819, RFC 6154)."""

from dataclasses import dataclass

from appliance.protocols.imap.errors import Bad
from appliance.protocols.imap.limits import MAX_LIST_PATTERNS
from appliance.protocols.imap.status_items import parse_items
from appliance.protocols.imap.tokens import Cursor

_SELECT = frozenset({b"SUBSCRIBED", b"REMOTE", b"RECURSIVEMATCH", b"SPECIAL-USE"})
_RETURN = frozenset({b"SUBSCRIBED", b"CHILDREN", b"SPECIAL-USE", b"STATUS"})


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A LIST or LSUB. `extended` is any form beyond RFC 3501's."""

    reference: str
    patterns: tuple[str, ...]
    select: frozenset[bytes]
    returns: frozenset[bytes]
    status: tuple[bytes, ...]
    extended: bool


def parse_list(cursor: Cursor) -> ListRequest:
    """[SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]."""
    cursor.space()
    select: frozenset[bytes] = frozenset()
    extended = False
    if cursor.peek() == b"(":
        extended = True
        select = frozenset(cursor.items(cursor.word, limit=20))
        if not select <= _SELECT:
            raise Bad("Unknown selection option.")
        if b"RECURSIVEMATCH" in select and not select & {b"SUBSCRIBED", b"SPECIAL-USE"}:
            raise Bad("RECURSIVEMATCH needs another selection option.")  # RFC 5258 3.1
        cursor.space()
    reference = cursor.mailbox()
    cursor.space()
    if cursor.peek() == b"(":
        extended = True
        patterns = tuple(cursor.items(cursor.list_mailbox, empty=False, limit=MAX_LIST_PATTERNS))
    else:
        patterns = (cursor.list_mailbox(),)
    returns: frozenset[bytes] = frozenset()
    status: tuple[bytes, ...] = ()
    if cursor.accept(b" RETURN "):
        extended = True
        found: list[tuple[bytes, ...]] = []

        def option() -> bytes:
            word = cursor.word("a return option")
            if word not in _RETURN:
                raise Bad("Unknown return option.")
            if word == b"STATUS":
                cursor.space()
                found.append(parse_items(cursor))
            return word

        returns = frozenset(cursor.items(option, limit=20))
        status = found[-1] if found else ()
    cursor.end()
    return ListRequest(reference, patterns, select, returns, status, extended)


def parse_lsub(cursor: Cursor) -> ListRequest:
    """SP mailbox SP list-mailbox."""
    cursor.space()
    reference = cursor.mailbox()
    cursor.space()
    pattern = cursor.list_mailbox()
    cursor.end()
    return ListRequest(reference, (pattern,), frozenset({b"SUBSCRIBED"}), frozenset(), (), False)
