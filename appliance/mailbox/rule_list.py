"""The standard rules of a folder, as clients change them, and deferred actions (MS-OXORULE 3.2.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from appliance.formats import bags
from appliance.mailbox.actor import Actor
from appliance.mailbox.errors import refusing
from appliance.mailbox.rights import require
from appliance.mapi import tags
from appliance.mapi.types import Value
from appliance.store import contents, folders, messages, rules
from appliance.store.edit import editing
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special, changing
from appliance.store.permissions import Right

TAGS = frozenset(
    {
        tags.PidTagRuleId,
        tags.PidTagRuleSequence,
        tags.PidTagRuleState,
        tags.PidTagRuleName,
        tags.PidTagRuleProvider,
        tags.PidTagRuleLevel,
        tags.PidTagRuleUserFlags,
        tags.PidTagRuleProviderData,
        rules.PidTagRuleCondition,
        tags.PidTagRuleActions,
    }
)
"""The properties of a standard rule (2.2.1.3.1)."""

_INITIAL: dict[int, Value] = {tags.PidTagRuleSequence: 0, tags.PidTagRuleState: 0, tags.PidTagRuleLevel: 0}


_ORIGINALS = (0x674100FB, tags.PidTagDeferredActionMessageOriginalEntryId)
"""PidTagDeferredActionMessageOriginalEntryId (2.2.6.8), as a server id and as binary."""


class What(Enum):
    """What is done to a rule (2.2.1.3)."""

    ADD = 0x01
    MODIFY = 0x02
    REMOVE = 0x04


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the list; `rule_id` 0 for a new rule. `values` are of TAGS, without the id."""

    what: What
    rule_id: int
    values: Mapping[int, Value]


def modify(
    txn: WriteTxn,
    actor: Actor,
    mailbox: int,
    fid: int,
    changes: Sequence[Change],
    *,
    replace: bool,
    now: int,
) -> None:
    """Change the rules of a folder; with `replace` none of the old ones stays. Needs FOLDER_OWNER. Raises
    Refused NOT_FOUND for a rule that is not there, LIMIT."""
    with refusing():
        require(txn, actor, mailbox, fid, Right.FOLDER_OWNER)
        if replace:
            rules.clear(txn, mailbox, fid)
        with changing(txn, mailbox) as clock:
            for change in changes:
                if change.what is What.ADD:
                    rules.add(txn, clock, fid, {**_INITIAL, **change.values})
                    continue
                rules.get(txn, mailbox, fid, change.rule_id)
                if change.what is What.REMOVE:
                    rules.delete(txn, mailbox, fid, change.rule_id)
                else:
                    rules.change(txn, mailbox, fid, change.rule_id, dict(change.values))
            folder = folders.get(txn, mailbox, fid)
            folders.changed(txn, clock, folder, now=now, actor=actor.user, origin=actor.session)


def update_deferred(
    txn: WriteTxn, actor: Actor, mailbox: int, server_entry_id: bytes, client_entry_id: bytes, *, now: int
) -> int:
    """Deferred action messages that name a message by the server's entry id name it by the client's; how many
    did. Needs EDIT_ANY in their folder."""
    with refusing():
        require(txn, actor, mailbox, Special.DEFERRED_ACTION, Right.EDIT_ANY)
        found = 0
        with editing(txn, mailbox, now=now, actor=actor.user, origin=actor.session) as edit:
            for row in list(contents.rows(txn, mailbox, Special.DEFERRED_ACTION)):
                cold = messages.load(txn, mailbox, row.mid)
                named = [tag for tag in _ORIGINALS if cold.get(tag) == server_entry_id]
                if not named:
                    continue
                patched: dict[int, Value] = dict.fromkeys(named, client_entry_id)
                patched[tags.PidTagDamBackPatched] = True
                messages.annotate(edit, row, bags.pack({**cold.bag(), **patched}))
                found += 1
        return found
