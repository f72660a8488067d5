"""RopGetOwningServers and RopPublicFolderIsGhosted: where the contents of a public folder are (MS-OXCROPS
2.2.3.6, 2.2.3.7; MS-OXCSTOR 3.2.5.6, 3.2.5.7). There is one server, which has every folder."""

from typing import Annotated

from appliance.directory import domains
from appliance.mailbox import rights
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.rop.objects import Logon
from appliance.store import folders
from appliance.store.permissions import Right
from appliance.wire.fields import Bool, NulText, SizedArray, UInt16
from appliance.wire.record import Record


class Request(Record):
    """2.2.3.6.1, 2.2.3.7.1"""

    folder_id: Annotated[int, SHORT_ID]


class ServersResponse(Record):
    """2.2.3.6.2"""

    owning_servers_count: UInt16
    cheap_servers_count: UInt16
    owning_servers: Annotated[
        tuple[str, ...], SizedArray(NulText(), lambda response: response.owning_servers_count)
    ]


class GhostedResponse(Record):
    """2.2.3.7.2. The fields behind it belong to ghosted folders, of which there are none."""

    is_ghosted: Bool


def _require_folder(ctx: RopContext, fid: int) -> None:
    """Raises ecNotSupported on a private mailbox, ecNotFound."""
    logon = ctx.input(Logon)
    if logon.is_private:
        raise MapiError(ec.ecNotSupported)
    folders.get(ctx.txn, logon.mailbox, fid)
    rights.require(ctx.txn, ctx.actor, logon.mailbox, fid, Right.FOLDER_VISIBLE)


def owning_servers(ctx: RopContext, request: Request) -> ServersResponse:
    """RopGetOwningServers. Raises ecNotFound, ecNotSupported."""
    _require_folder(ctx, request.folder_id)
    return ServersResponse(1, 1, (domains.get(ctx.txn).server_legacy_dn,))


def is_ghosted(ctx: RopContext, request: Request) -> GhostedResponse:
    """RopPublicFolderIsGhosted. Raises ecNotFound; a private mailbox has no ghosted folders."""
    if not ctx.input(Logon).is_private:
        _require_folder(ctx, request.folder_id)
    return GhostedResponse(is_ghosted=False)


ROPS = (
    Rop(0x42, On.LOGON, Access.READ, Request, ServersResponse, owning_servers, room=1024),
    Rop(0x45, On.LOGON, Access.READ, Request, GhostedResponse, is_ghosted),
)
