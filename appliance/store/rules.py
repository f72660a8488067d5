"""Rules of a folder as they are stored; what they mean is `mailbox`'s business (MS-OXORULE).

A standard rule is a row here: the properties of MS-OXORULE 2.2.1.3.1 as a bag. An extended rule is an
associated message of the class EXTENDED in the folder (MS-OXORULE 2.2.4): `extended` finds those.

Invariants:
- A rule id is the mailbox's number at the time it was made, never 0, never used again.
- PidTagRuleId and PidTagRuleSequence of the bag are the row's.
- Rules are given in the order in which they are evaluated: by sequence, then by id (MS-OXORULE 3.2.1.2).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag

from appliance.formats import bags
from appliance.mapi import tags
from appliance.mapi.types import Bag
from appliance.store import classes, contents
from appliance.store.contents import Row
from appliance.store.errors import LimitReached, NotFound
from appliance.store.keys import Table, head, head_q, head_qq, successor, tail_q
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.mailboxes import Clock

PidTagRuleCondition = 0x667900FD  # MS-OXORULE 2.2.1.3.1.9

EXTENDED = "IPM.ExtendedRule.Message"  # MS-OXORULE 2.2.4.1.1
MAX_RULES = 1000
"""Standard rules of a folder, at most."""

MAX_RULE = 256 << 10
"""Bytes of one rule, at most."""


class State(IntFlag):
    """PidTagRuleState (MS-OXORULE 2.2.1.3.1.3)."""

    NONE = 0
    ENABLED = 0x01
    ERROR = 0x02
    ONLY_WHEN_OOF = 0x04
    KEEP_OOF_HISTORY = 0x08
    EXIT_LEVEL = 0x10
    SKIP_IF_SCL_IS_SAFE = 0x20
    RULE_PARSE_ERROR = 0x40


@dataclass(frozen=True, slots=True)
class Rule:
    """A standard rule. `bag` holds every PidTagRule* property; condition and actions as they came."""

    fid: int
    rule_id: int
    sequence: int
    state: State
    provider: str
    bag: Bag

    @property
    def enabled(self) -> bool:
        """Whether the rule is to be evaluated (MS-OXORULE 3.2.1.2)."""
        return bool(self.state & (State.ENABLED | State.ONLY_WHEN_OOF))


def _integer(bag: Bag, tag: int) -> int:
    value = bag.get(tag)
    return value if isinstance(value, int) else 0


def _rule(fid: int, rule_id: int, raw: bytes) -> Rule:
    bag = bags.unpack(raw)
    provider = bag.get(tags.PidTagRuleProvider)
    return Rule(
        fid,
        rule_id,
        _integer(bag, tags.PidTagRuleSequence),
        State(_integer(bag, tags.PidTagRuleState) & 0xFFFF_FFFF),
        provider if isinstance(provider, str) else "",
        bag,
    )


def _stored(txn: ReadTxn, mailbox: int, fid: int) -> Iterator[Rule]:
    prefix = head_q(mailbox, Table.RULES, fid)
    for key, raw in txn.scan(prefix, successor(prefix)):
        yield _rule(fid, tail_q(key), raw)


def rules(txn: ReadTxn, mailbox: int, fid: int) -> list[Rule]:
    """The standard rules of a folder, in the order of evaluation."""
    return sorted(_stored(txn, mailbox, fid), key=lambda rule: (rule.sequence, rule.rule_id))


def has_any(txn: ReadTxn, mailbox: int, fid: int) -> bool:
    """Whether a folder has standard rules: what every delivery asks."""
    prefix = head_q(mailbox, Table.RULES, fid)
    return txn.first(prefix, successor(prefix)) is not None


def extended(txn: ReadTxn, mailbox: int, fid: int) -> list[Row]:
    """The messages that hold the extended rules of a folder, oldest first."""
    wanted = EXTENDED.upper()
    return [
        row
        for row in contents.rows(txn, mailbox, fid, True)
        if classes.name(txn, row.message_class).upper() == wanted
    ]


def get(txn: ReadTxn, mailbox: int, fid: int, rule_id: int) -> Rule:
    """One standard rule. Raises NotFound."""
    raw = txn.get(head_qq(mailbox, Table.RULES, fid, rule_id))
    if raw is None:
        raise NotFound(f"rule {rule_id:#x} of folder {fid:#x}")
    return _rule(fid, rule_id, raw)


def add(txn: WriteTxn, clock: Clock, fid: int, bag: Bag) -> Rule:
    """A new rule (ROW_ADD, MS-OXORULE 2.2.1.3). Raises LimitReached, NotFound for the folder."""
    if not txn.has(head_q(clock.mailbox, Table.FOLDERS, fid)):
        raise NotFound(f"folder {fid:#x}")
    if sum(1 for _ in _stored(txn, clock.mailbox, fid)) >= MAX_RULES:
        raise LimitReached(f"a folder has at most {MAX_RULES} rules")
    return _put(txn, clock.mailbox, fid, clock.next_id(), bag)


def change(txn: WriteTxn, mailbox: int, fid: int, rule_id: int, bag: Bag) -> Rule:
    """Set properties of a rule; the others stay (ROW_MODIFY). Raises NotFound, LimitReached."""
    return _put(txn, mailbox, fid, rule_id, {**get(txn, mailbox, fid, rule_id).bag, **bag})


def _put(txn: WriteTxn, mailbox: int, fid: int, rule_id: int, bag: Bag) -> Rule:
    signed = rule_id - (1 << 64) if rule_id >= 1 << 63 else rule_id
    raw = bags.pack({**bag, tags.PidTagRuleId: signed})
    if len(raw) > MAX_RULE:
        raise LimitReached(f"a rule has at most {MAX_RULE} bytes")
    txn.put(head_qq(mailbox, Table.RULES, fid, rule_id), raw)
    return _rule(fid, rule_id, raw)


def delete(txn: WriteTxn, mailbox: int, fid: int, rule_id: int) -> bool:
    """Take a rule away (ROW_REMOVE); whether there was one."""
    return txn.delete(head_qq(mailbox, Table.RULES, fid, rule_id))


def clear(txn: WriteTxn, mailbox: int, fid: int, provider: str | None = None) -> int:
    """Take all rules of a folder away, or one provider's; how many went (the folder goes, or Replace of
    RopModifyRules, MS-OXORULE 2.2.1.2)."""
    gone = [rule for rule in _stored(txn, mailbox, fid) if provider in (None, rule.provider)]
    for rule in gone:
        delete(txn, mailbox, fid, rule.rule_id)
    return len(gone)


def check(txn: ReadTxn, mailbox: int, fids: set[int]) -> Iterator[str]:
    """What is wrong with the rules of a mailbox."""
    prefix = head(mailbox, Table.RULES)
    for key, raw in txn.scan(prefix, successor(prefix)):
        fid, rule_id = int.from_bytes(key[5:13], "big"), tail_q(key)
        if fid not in fids:
            yield f"rule {rule_id:#x} of a folder that is gone, {fid:#x}"
        try:
            stored = _integer(bags.unpack(raw), tags.PidTagRuleId) & (1 << 64) - 1
        except ValueError as error:
            yield f"rule {rule_id:#x}: {error}"
            continue
        if stored != rule_id:
            yield f"rule {rule_id:#x}: its properties call it {stored:#x}"


def repair(txn: WriteTxn, mailbox: int, fids: set[int]) -> None:
    """Take away the rules of folders that are gone, and give the others their ids."""
    prefix = head(mailbox, Table.RULES)
    for key, raw in list(txn.scan(prefix, successor(prefix))):
        fid, rule_id = int.from_bytes(key[5:13], "big"), tail_q(key)
        if fid not in fids:
            txn.delete(key)
            continue
        try:
            _put(txn, mailbox, fid, rule_id, bags.unpack(raw))
        except ValueError:
            txn.delete(key)
