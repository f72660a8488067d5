"""RopGetRulesTable, RopModifyRules, RopUpdateDeferredActionMessages: the rules of a folder as they are kept
(MS-OXCROPS 2.2.11, MS-OXORULE 2.2.1 to 2.2.3, 3.2.5)."""

from enum import IntFlag
from typing import Annotated

from appliance.formats import bags
from appliance.mailbox import rights
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.mapi.types import Bag, Value
from appliance.mapi.values import rop_form
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, Handles, On, Rop
from appliance.rop.objects import Folder, Logon
from appliance.rop.tables import Shows, TableObject
from appliance.rop.tagged import TaggedValues
from appliance.store import contents, drafts, folders, rules
from appliance.store.edit import editing
from appliance.store.errors import LimitReached
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special, changing
from appliance.store.permissions import Right
from appliance.store.rules import PidTagRuleCondition
from appliance.store.tables.lists import BagRecord, ListSource
from appliance.wire.cursor import Reader
from appliance.wire.errors import DecodeError
from appliance.wire.fields import U8, Array, Bytes16, Flags, UInt8
from appliance.wire.record import Record, as_codec

REPLACE = 0x01
ADD, MODIFY, REMOVE = 0x01, 0x02, 0x04  # MS-OXORULE 2.2.1.3
OP_FIRST, OP_LAST = 0x01, 0x0B
"""OP_MOVE to OP_MARK_AS_READ: MS-OXORULE 2.2.5.1."""
ACTION_HEAD = 1 + 4 + 4
"""Bytes of ActionType, ActionFlavor and ActionFlags."""

RULE_TAGS = frozenset(
    {
        tags.PidTagRuleId,
        tags.PidTagRuleSequence,
        tags.PidTagRuleState,
        tags.PidTagRuleName,
        tags.PidTagRuleProvider,
        tags.PidTagRuleLevel,
        tags.PidTagRuleUserFlags,
        tags.PidTagRuleProviderData,
        PidTagRuleCondition,
        tags.PidTagRuleActions,
    }
)
"""The properties of a standard rule (MS-OXORULE 2.2.1.3.1)."""


class TableFlags(IntFlag):
    """MS-OXORULE 2.2.2.1."""

    UNICODE = 0x40


class TableRequest(Record):
    """2.2.11.2.1"""

    table_flags: Annotated[TableFlags, Flags(TableFlags, U8)]


class RuleData(Record):
    """2.2.11.1.1.1"""

    flags: UInt8
    values: Annotated[tuple[tuple[int, Value], ...], TaggedValues(rop_form())]


class ModifyRequest(Record):
    """2.2.11.1.1"""

    modify_rules_flags: UInt8
    data: Annotated[tuple[RuleData, ...], Array(as_codec(RuleData), 2, least=3)]


class UpdateRequest(Record):
    """2.2.11.3.1"""

    server_entry_id: Bytes16
    client_entry_id: Bytes16


def table(ctx: RopContext, request: TableRequest) -> None:
    """RopGetRulesTable. Raises ecNotSupported for unknown flags, ecAccessDenied."""
    folder = ctx.input(Folder)
    if int(request.table_flags) & ~0x40:
        raise MapiError(ec.ecNotSupported)
    mailbox = folder.logon.mailbox
    rights.require(ctx.txn, ctx.actor, mailbox, folder.fid, Right.READ_ANY)
    found = rules.rules(ctx.txn, mailbox, folder.fid)
    source = ListSource(BagRecord(number, bags.pack(rule.bag)) for number, rule in enumerate(found, 1))
    ctx.put(TableObject(folder.logon, Shows.RULES, source, ctx.session.engine.arrangements))


def modify(ctx: RopContext, request: ModifyRequest) -> None:
    """RopModifyRules, all or nothing. Raises ecInvalidParam for flags, rows and properties that are none,
    ecNotFound for a rule that is not there, ecMAPIOOM beyond the limits, ecAccessDenied."""
    folder, txn = ctx.input(Folder), ctx.writing
    mailbox, fid = folder.logon.mailbox, folder.fid
    replace = request.modify_rules_flags & REPLACE
    if request.modify_rules_flags & ~REPLACE:
        raise MapiError(ec.ecInvalidParam)
    rights.require(txn, ctx.actor, mailbox, fid, Right.FOLDER_OWNER)
    folders.get(txn, mailbox, fid)
    if replace:
        if any(data.flags != ADD for data in request.data):
            raise MapiError(ec.ecInvalidParam)
        rules.clear(txn, mailbox, fid)
    try:
        for data in request.data:
            _apply(txn, mailbox, fid, data)
    except LimitReached:
        raise MapiError(ec.ecMAPIOOM) from None
    txn.touch(mailbox)


def _apply(txn: WriteTxn, mailbox: int, fid: int, data: RuleData) -> None:
    bag: Bag = dict(data.values)
    if not bag or bag.keys() - RULE_TAGS:
        raise MapiError(ec.ecInvalidParam)
    _require_actions(bag.get(tags.PidTagRuleActions))
    number = bag.pop(tags.PidTagRuleId, None)
    if data.flags == ADD:
        if tags.PidTagRuleProvider not in bag:
            raise MapiError(ec.ecInvalidParam)
        with changing(txn, mailbox) as clock:
            rules.add(txn, clock, fid, bag)
        return
    if data.flags not in (MODIFY, REMOVE) or not isinstance(number, int):
        raise MapiError(ec.ecInvalidParam)
    rule_id = number & (1 << 64) - 1
    if data.flags == MODIFY:
        rules.change(txn, mailbox, fid, rule_id, bag)
    elif not rules.delete(txn, mailbox, fid, rule_id):
        raise MapiError(ec.ecNotFound)


def _require_actions(value: Value) -> None:
    """Raises ecInvalidParam for a RuleAction structure without actions, of actions that there are not, or
    whose lengths do not agree (MS-OXORULE 2.2.5, 2.2.5.1)."""
    if value is None:
        return
    if not isinstance(value, bytes):
        raise MapiError(ec.ecInvalidParam)
    reader = Reader(value)
    try:
        count = reader.u16("NoOfActions")
        for _ in range(count):
            block = reader.take(reader.u16("ActionLength"), "ActionBlock")
            if len(block) < ACTION_HEAD or not OP_FIRST <= block[0] <= OP_LAST:
                raise MapiError(ec.ecInvalidParam)
        reader.expect_end("RuleAction")
    except DecodeError as error:
        raise MapiError(ec.ecInvalidParam, str(error)) from None
    if not count:
        raise MapiError(ec.ecInvalidParam)


def update_deferred(ctx: RopContext, request: UpdateRequest) -> None:
    """RopUpdateDeferredActionMessages: deferred action messages about a message that the client has under
    another id now. Raises ecNotSupported on public folders, ecAccessDenied."""
    logon, txn = ctx.input(Logon), ctx.writing
    if not logon.is_private:
        raise MapiError(ec.ecNotSupported)
    mailbox, fid = logon.mailbox, Special.DEFERRED_ACTION
    rights.require(txn, ctx.actor, mailbox, fid, Right.EDIT_ANY)
    with editing(txn, mailbox, now=ctx.now, actor=ctx.actor.user, origin=ctx.actor.session) as edit:
        for row in list(contents.rows(txn, mailbox, fid)):
            draft = drafts.open_message(txn, mailbox, row, edit.origin)
            known = draft.overlay.get(tags.PidTagDeferredActionMessageOriginalEntryId)
            if known == request.server_entry_id:
                draft.overlay.set(tags.PidTagDeferredActionMessageOriginalEntryId, request.client_entry_id)
                draft.overlay.set(tags.PidTagDamBackPatched, True)
                drafts.save(edit, draft, on_conflict=drafts.OnConflict.OVERWRITE)


ROPS = (
    Rop(0x3F, On.FOLDER, Access.READ, TableRequest, Empty, table, Handles.IN_OUT),
    Rop(0x41, On.FOLDER, Access.WRITE, ModifyRequest, Empty, modify),
    Rop(0x57, On.LOGON, Access.WRITE, UpdateRequest, Empty, update_deferred),
)
