"""Ambiguous name resolution: whom a few typed letters mean (MS-OXOABK 3.1.4.7, MS-OXNSPI 3.1.4.7).

In this order, the first that finds anybody decides:
- an address (with or without `SMTP:` before it): whose it is; a distinguished name (with or without `EX:`);
  both also behind `=` (observed: Outlook asks for `=SMTP:address`);
- `=name`: an account or display name that is exactly so;
- a display name or account that is exactly so, when it is one person's alone;
- every word the beginning of a word of the display name, given name, surname, office or an account.

Case and accents do not count. Hidden entries are found by address and distinguished name alone.
"""

from enum import IntEnum

from appliance.directory import entries
from appliance.directory.model import Entry
from appliance.directory.sort import fold, sort_key, words
from appliance.store.kv import ReadTxn

MAX_TEXT = 256
"""Characters that are looked at."""

MAX_WORDS = 8
MAX_FOUND = 500
"""Entries that words are looked for among: more are ambiguous, unless a name is exactly so."""


class Outcome(IntEnum):
    """The values of MS-OXNSPI 2.2.10, without MID_ prefix."""

    UNRESOLVED = 0
    AMBIGUOUS = 1
    RESOLVED = 2


def resolve(txn: ReadTxn, text: str) -> tuple[Outcome, list[Entry]]:
    """Whom `text` means, in the order of display names."""
    found = find(txn, text)
    outcome = (Outcome.UNRESOLVED, Outcome.RESOLVED)[len(found)] if len(found) < 2 else Outcome.AMBIGUOUS
    return outcome, found


def find(txn: ReadTxn, text: str) -> list[Entry]:
    """Everybody whom `text` may mean, in the order of display names."""
    text = text[:MAX_TEXT].encode("utf-8", "replace").decode().strip()  # halves of surrogate pairs
    whole = _whole(txn, text.removeprefix("="))
    if whole is not None:
        return [whole]
    if text.startswith("="):
        return _named(_with_words(txn, text[1:]), text[1:])
    found = _with_words(txn, text)
    exact = _named(found, text)
    return exact if len(exact) == 1 else found


def _whole(txn: ReadTxn, text: str) -> Entry | None:
    kind, separator, rest = text.partition(":")
    if separator and kind.upper() in ("SMTP", "EX"):
        text = rest.strip()
    if text.startswith("/"):
        return entries.by_legacy_dn(txn, text)
    return entries.by_address(txn, text) if "@" in text else None


def _named(found: list[Entry], text: str) -> list[Entry]:
    wanted = fold(text)
    return [entry for entry in found if wanted in (fold(entry.display_name), fold(entry.account))]


def _with_words(txn: ReadTxn, text: str) -> list[Entry]:
    wanted = words(text)[:MAX_WORDS]
    if not wanted:
        return []
    ids = set.intersection(*(entries.ids_with_word(txn, word) for word in wanted))
    if len(ids) > MAX_FOUND:
        ids = {*entries.ids_of_name(txn, text), *sorted(ids)[:MAX_FOUND]}
    found = [entries.get(txn, id) for id in ids]
    visible = [entry for entry in found if not entry.hidden]
    return sorted(visible, key=lambda entry: (sort_key(entry.display_name), entry.id))
