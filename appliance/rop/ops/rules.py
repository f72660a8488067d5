"""RopGetRulesTable, RopModifyRules, RopUpdateDeferredActionMessages (MS-OXCROPS 2.2.11, MS-OXORULE 2.2.1 to
2.2.3, 3.2.5.2 to 3.2.5.4). Extended rules are associated messages: nothing of them is here."""

from enum import IntFlag
from typing import Annotated

from appliance.formats import bags
from appliance.mailbox import rights, rule_list
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, Handles, On, Rop
from appliance.rop.objects import Folder, Logon
from appliance.rop.tables import Shows, TableObject
from appliance.rop.tagged import TaggedValues, values_of
from appliance.store import rules
from appliance.store.kv import ReadTxn
from appliance.store.permissions import Right
from appliance.store.tables.sources import BagRecord, LiveList
from appliance.wire.fields import U8, Array, Bytes16, Flags, UInt8
from appliance.wire.record import Record, as_codec


class TableFlags(IntFlag):
    """MS-OXORULE 2.2.2.1."""

    UNICODE = 0x40


class ModifyRulesFlags(IntFlag):
    """MS-OXORULE 2.2.1.1."""

    REPLACE = 0x01


class TableRequest(Record):
    """2.2.11.2.1"""

    table_flags: Annotated[TableFlags, Flags(TableFlags, U8)]


class RuleData(Record):
    """2.2.11.1.1.1"""

    flags: UInt8
    values: TaggedValues


class ModifyRequest(Record):
    """2.2.11.1.1"""

    modify_rules_flags: Annotated[ModifyRulesFlags, Flags(ModifyRulesFlags, U8)]
    rules_data: Annotated[tuple[RuleData, ...], Array(as_codec(RuleData), 2, least=3)]


class DeferredRequest(Record):
    """2.2.11.3.1"""

    server_entry_id: Bytes16
    client_entry_id: Bytes16


def get_table(ctx: RopContext, request: TableRequest) -> None:
    """Raises ecAccessDenied without READ_ANY, ecInvalidParam for unknown flags."""
    folder = ctx.input(Folder)
    mailbox, fid = folder.logon.mailbox, folder.fid
    if request.table_flags & ~int(TableFlags.UNICODE):
        raise MapiError(ec.ecInvalidParam)
    rights.require(ctx.txn, ctx.actor, mailbox, fid, Right.READ_ANY)

    def rows(txn: ReadTxn) -> list[BagRecord]:
        return [BagRecord(rule.rule_id, bags.pack(rule.bag)) for rule in rules.rules(txn, mailbox, fid)]

    source = LiveList((10, mailbox, fid), rows, rule_list.TAGS)
    ctx.put(TableObject(folder.logon, Shows.RULES, source, ctx.session.engine.arrangements))


def modify(ctx: RopContext, request: ModifyRequest) -> None:
    """Raises ecInvalidParam for rules that are none, ecNotFound for one that is not there, ecAccessDenied
    without FOLDER_OWNER."""
    folder, flags = ctx.input(Folder), request.modify_rules_flags
    if flags & ~int(ModifyRulesFlags.REPLACE):
        raise MapiError(ec.ecInvalidParam)
    replace = bool(flags & ModifyRulesFlags.REPLACE)
    changes = [_change(ctx, data, replace=replace) for data in request.rules_data]
    mailbox = folder.logon.mailbox
    rule_list.modify(ctx.writing, ctx.actor, mailbox, folder.fid, changes, replace=replace, now=ctx.now)


def _change(ctx: RopContext, data: RuleData, *, replace: bool) -> rule_list.Change:
    try:
        what = rule_list.What(data.flags)
    except ValueError:
        raise MapiError(ec.ecInvalidParam) from None
    if (replace and what is not rule_list.What.ADD) or not data.values:
        raise MapiError(ec.ecInvalidParam)
    values = values_of(ctx, data.values)
    if values.keys() - rule_list.TAGS:
        raise MapiError(ec.ecInvalidParam)
    rule_id = values.pop(tags.PidTagRuleId, None)
    if what is not rule_list.What.ADD and not isinstance(rule_id, int):
        raise MapiError(ec.ecInvalidParam)
    return rule_list.Change(what, rule_id & (1 << 64) - 1 if isinstance(rule_id, int) else 0, values)


def update_deferred(ctx: RopContext, request: DeferredRequest) -> None:
    """The messages of deferred actions that name the server's entry id get the client's (3.2.5.4)."""
    logon = ctx.input(Logon)
    if not logon.is_private:
        raise MapiError(ec.ecNotSupported)
    rule_list.update_deferred(
        ctx.writing,
        ctx.actor,
        logon.mailbox,
        request.server_entry_id,
        request.client_entry_id,
        now=ctx.now,
    )


TABLE = Rop(0x3F, On.FOLDER, Access.READ, TableRequest, Empty, get_table, Handles.IN_OUT)
MODIFY = Rop(0x41, On.FOLDER, Access.WRITE, ModifyRequest, Empty, modify)
UPDATE_DEFERRED = Rop(0x57, On.LOGON, Access.WRITE, DeferredRequest, Empty, update_deferred)
ROPS = (TABLE, MODIFY, UPDATE_DEFERRED)
