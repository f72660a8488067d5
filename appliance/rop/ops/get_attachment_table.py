"""RopGetAttachmentTable: the attachments of a message as a table (MS-OXCROPS 2.2.6.17, MS-OXCMSG
2.2.3.17)."""

from collections.abc import Callable, Iterable
from enum import IntFlag
from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.rows import PropertyError
from appliance.mapi.types import Value
from appliance.rop.context import RopContext
from appliance.rop.messages import Message, looking_inside
from appliance.rop.model import Empty, Handles, On, Rop
from appliance.rop.ops.open_attachment import open_
from appliance.rop.properties import View
from appliance.rop.tables import Shows, TableObject
from appliance.store.tables.lists import ListSource
from appliance.wire.fields import U8, Flags
from appliance.wire.record import Record


class TableFlags(IntFlag):
    """MS-OXCMSG 2.2.3.17.1; other bits are ignored."""

    STANDARD = 0x00
    UNICODE = 0x40


class Request(Record):
    """2.2.6.17.1"""

    table_flags: Annotated[TableFlags, Flags(TableFlags, U8)]


class AttachmentRecord:
    """A row: an attachment as it was when the table was opened."""

    __slots__ = ("_values", "id", "unread")

    def __init__(self, number: int, view: View) -> None:
        self.id, self.unread = number, False
        self._values = {
            tag: value
            for tag in view.tags()
            if (value := view.get(tag)) is not None and not isinstance(value, PropertyError)
        }

    def get(self, tag: int) -> Value:
        """As `Record`."""
        return self.id if tag == tags.PidTagInstID else self._values.get(tag)

    def tags(self) -> Iterable[int]:
        """As `Record`."""
        return self._values

    def children(self, tag: int) -> Iterable[Callable[[int], Value]]:
        """None."""
        return ()


def run(ctx: RopContext, _request: Request) -> None:
    """With what the handle changed and did not save."""
    message = ctx.input(Message)
    rows = []
    for number in message.attachment_numbers(ctx):
        attachment = open_(ctx, message, number, writable=False)
        rows.append(AttachmentRecord(number, attachment.view(ctx)))
        attachment.close()
    ctx.put(TableObject(message.logon, Shows.ATTACHMENTS, ListSource(rows), ctx.session.engine.arrangements))


ROP = Rop(0x21, On.MESSAGE, looking_inside, Request, Empty, run, Handles.IN_OUT, wrong=ec.ecNullObject)
