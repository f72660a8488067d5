"""RopDeleteMessages, RopHardDeleteMessages (MS-OXCROPS 2.2.4.11, 2.2.4.12, MS-OXCFOLD 2.2.1.11, 2.2.1.12,
3.2.5.11, 3.2.5.12)."""

from functools import partial
from typing import Annotated

from appliance.mailbox import chosen
from appliance.mapi.ids import SHORT_ID
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.rop.objects import Folder
from appliance.rop.stepwise import NOTHING_DONE, PartialCompletion, Progress, pieces
from appliance.wire.fields import LOOSE_BOOL, Array
from appliance.wire.record import Record


class Request(Record):
    """2.2.4.11.1, 2.2.4.12.1"""

    want_asynchronous: Annotated[bool, LOOSE_BOOL]
    notify_non_read: Annotated[bool, LOOSE_BOOL]
    message_ids: Annotated[tuple[int, ...], Array(SHORT_ID, 2, least=8)]


def _run(ctx: RopContext, request: Request, *, hard: bool) -> PartialCompletion:
    folder = ctx.input(Folder)
    mailbox, actor, now = folder.logon.mailbox, ctx.actor, ctx.now
    progress = Progress()
    for mids in pieces(request.message_ids, chosen.STEP):
        delete = partial(
            chosen.delete,
            actor=actor,
            mailbox=mailbox,
            fid=folder.fid,
            mids=mids,
            hard=hard,
            now=now,
            notify=request.notify_non_read,
        )
        progress.step(lambda: ctx.write(delete, reserve=True) == 0)  # noqa: B023
    return progress.answer()


def soft(ctx: RopContext, request: Request) -> PartialCompletion:
    """Messages that are not there, or that the user may not delete, are left out."""
    return _run(ctx, request, hard=False)


def hard(ctx: RopContext, request: Request) -> PartialCompletion:
    """The same, for good; soft-deleted messages are found too."""
    return _run(ctx, request, hard=True)


SOFT = Rop(0x1E, On.FOLDER, Access.APART, Request, PartialCompletion, soft, failure=NOTHING_DONE)
HARD = Rop(0x91, On.FOLDER, Access.APART, Request, PartialCompletion, hard, failure=NOTHING_DONE)
ROPS = (SOFT, HARD)
