"""RopLongTermIdFromId and RopIdFromLongTermId: ids of 8 bytes and of 24 (MS-OXCROPS 2.2.3.8, 2.2.3.9;
MS-OXCSTOR 3.2.5.8, 3.2.5.9). Whether anything has the id is nobody's business here."""

from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import LONG_TERM_ID, SHORT_ID, LongTermId, counter_of, make_id, replica_of
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.store import replids
from appliance.store.errors import LimitReached
from appliance.wire.record import Record

NO_GUID = bytes(16)


class ShortId(Record):
    """2.2.3.8.1, 2.2.3.9.2"""

    object_id: Annotated[int, SHORT_ID]


class LongId(Record):
    """2.2.3.8.2, 2.2.3.9.1"""

    long_term_id: Annotated[LongTermId, LONG_TERM_ID]


def to_long(ctx: RopContext, request: ShortId) -> LongId:
    """RopLongTermIdFromId. Raises ecNotFound for a replica id that stands for nothing."""
    replica = replica_of(request.object_id)
    guid = replids.guid_of(ctx.txn, ctx.logon.mailbox, replica) if replica else None
    if guid is None:
        raise MapiError(ec.ecNotFound)
    return LongId(LongTermId(guid, counter_of(request.object_id)))


def need(ctx: RopContext, request: LongId) -> Access:
    """A GUID that has no replica id yet gets one."""
    with ctx.read() as txn:
        known = replids.find(txn, ctx.logon.mailbox, request.long_term_id.guid)
    return Access.READ if known is not None or request.long_term_id.guid == NO_GUID else Access.WRITE


def to_short(ctx: RopContext, request: LongId) -> ShortId:
    """RopIdFromLongTermId. Raises ecInvalidParam for an id without GUID, ecParameterOverflow when no replica
    id is left. A counter of zero is none of anything, and yet a success (MS-OXCSTOR_R948)."""
    wanted, mailbox = request.long_term_id, ctx.logon.mailbox
    if wanted.guid == NO_GUID:
        raise MapiError(ec.ecInvalidParam)
    replica = replids.find(ctx.txn, mailbox, wanted.guid)
    if replica is None:
        try:
            replica = replids.assign(ctx.writing, mailbox, wanted.guid)
        except LimitReached:
            raise MapiError(ec.ecParameterOverflow) from None
    return ShortId(make_id(replica, wanted.counter))


ROPS = (
    Rop(0x43, On.LOGON, Access.READ, ShortId, LongId, to_long),
    Rop(0x44, On.LOGON, need, LongId, ShortId, to_short),
)
