"""RopTellVersion: the version of the other server of a server-to-client-to-server copy (MS-OXCROPS 2.2.12.9,
MS-OXCFXICS 2.2.3.1.1.6). Streams of this server have one form for all versions: it is noted, nothing more."""

from typing import Annotated

from appliance.rop.context import RopContext
from appliance.rop.fasttransfer.contexts import DownloadContext
from appliance.rop.fasttransfer.upload import UploadContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.wire.fields import U16, SizedArray
from appliance.wire.record import Record


class Request(Record):
    """2.2.12.9.1"""

    version: Annotated[tuple[int, ...], SizedArray(U16, lambda _request: 3)]


def run(ctx: RopContext, request: Request) -> Empty:
    """Notes the version at the context."""
    context = ctx.input(object)
    assert isinstance(context, DownloadContext | UploadContext)
    context.version = request.version
    return Empty()


ROP = Rop(0x86, On.DOWNLOAD | On.UPLOAD, Access.NONE, Request, Empty, run)
