"""The Folder object with its properties (`properties.Propertied`): each change is committed at once."""

from collections.abc import Sequence
from functools import partial

from appliance.mailbox import chosen, rights, tree
from appliance.mailbox.folder_properties import delete_properties, set_properties
from appliance.mailbox.properties.folders import READ_ONLY, FolderView
from appliance.mailbox.properties.places import places
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.mapi.objects import BytesContent, Content
from appliance.mapi.types import Value
from appliance.mapi.values import Form
from appliance.rop.context import RopContext
from appliance.rop.model import Access
from appliance.rop.objects import Folder, Object
from appliance.rop.properties import Copying, Refusals, Wide
from appliance.rop.stepwise import pieces
from appliance.store import folders
from appliance.store.blobs import Prepared
from appliance.store.permissions import Right

CONTENTS, ASSOCIATED, SUBFOLDERS = 0x360F000D, 0x3610000D, 0x360E000D
"""PidTagContainerContents, PidTagFolderAssociatedContents, PidTagContainerHierarchy: what RopCopyTo copies
of a folder besides its properties."""


class FolderObject(Folder):
    """An open folder."""

    __slots__ = ()

    @property
    def writing(self) -> Access:
        """As `Propertied`."""
        return Access.WRITE

    def form(self, ctx: RopContext) -> Form:
        """As `Propertied`."""
        return ctx.form

    def view(self, ctx: RopContext) -> FolderView:
        """As `Propertied`."""
        mailbox = self.logon.mailbox
        row = folders.find(ctx.txn, mailbox, self.fid)
        if row is None:
            raise MapiError(ec.ecObjectDeleted)
        return FolderView(places(ctx.txn, mailbox), row, ctx.actor)

    def set_properties(
        self, ctx: RopContext, values: Sequence[tuple[int, Value]], *, replicate: bool = True
    ) -> Refusals:
        """As `Propertied`."""
        return set_properties(ctx.writing, ctx.actor, self.logon.mailbox, self.fid, values, now=ctx.now)

    def delete_properties(self, ctx: RopContext, tags: Sequence[int], *, replicate: bool = True) -> Refusals:
        """As `Propertied`."""
        return delete_properties(ctx.writing, ctx.actor, self.logon.mailbox, self.fid, tags, now=ctx.now)

    def value(self, ctx: RopContext, tag: int) -> Content | None:
        """As `Propertied`."""
        found = self.view(ctx).get(tag)
        if isinstance(found, str):
            return BytesContent(found.encode("utf-8", "surrogatepass"))
        return BytesContent(found) if isinstance(found, bytes) else None

    def require_writable(self, ctx: RopContext) -> None:
        """As `Propertied`."""
        rights.require(ctx.txn, ctx.actor, self.logon.mailbox, self.fid, Right.FOLDER_OWNER)

    def put_value(self, ctx: RopContext, tag: int, value: Wide) -> None:
        """As `Propertied`; values of folders are small."""
        if isinstance(value, Prepared):
            raise MapiError(ec.ecPropSize)
        code = self.set_properties(ctx, [(tag, value)]).get(tag)
        if code:
            raise MapiError(code)

    def copying(self, target: Object) -> Access:
        """As `Propertied`."""
        return Access.APART

    def copy_to(self, ctx: RopContext, target: Object, wanted: Copying) -> Refusals:
        """As `Propertied`: properties, then messages, then subfolders with all in them."""
        if not isinstance(target, FolderObject):
            raise MapiError(ec.ecNotSupported)
        mailbox, there = self.logon.mailbox, target.logon.mailbox
        with ctx.read() as txn:
            rights.require(txn, ctx.actor, mailbox, self.fid, Right.READ_ANY)
            if mailbox == there and tree.lies_within(txn, mailbox, target.fid, self.fid):
                raise MapiError(ec.ecRootFolder)
            view = FolderView(places(txn, mailbox), folders.get(txn, mailbox, self.fid), ctx.actor)
            old = FolderView(places(txn, there), folders.get(txn, there, target.fid), ctx.actor)
            listed = wanted.only if wanted.only is not None else sorted(view.tags() - READ_ONLY)
            values = [
                (tag, value)
                for tag in listed
                if wanted.wants(tag)
                and tag != tags.PidTagDisplayName
                and (value := view.get(tag)) is not None
                and (wanted.overwrite or old.get(tag) is None)
            ]
            mids = chosen.mids_in(txn, mailbox, self.fid)
            below = [each.fid for each in folders.children(txn, mailbox, self.fid)]
        store = partial(
            set_properties, actor=ctx.actor, mailbox=there, fid=target.fid, values=values, now=ctx.now
        )
        refusals = ctx.write(store)
        if wanted.subobjects and wanted.only is None:
            self._copy_inside(ctx, target, wanted, mids, below)
        return refusals

    def _copy_inside(
        self, ctx: RopContext, target: Folder, wanted: Copying, mids: list[int], below: list[int]
    ) -> None:
        source, to = (self.logon.mailbox, self.fid), (target.logon.mailbox, target.fid)
        if wanted.wants(CONTENTS):
            for some in pieces(mids, chosen.STEP):
                copy = partial(
                    chosen.transfer,
                    actor=ctx.actor,
                    source=source,
                    mids=some,
                    target=to,
                    copy=True,
                    now=ctx.now,
                )
                ctx.write(copy)
        if wanted.wants(SUBFOLDERS):
            for fid in below:
                copy_branch(ctx, (source[0], fid), to)


def copy_branch(ctx: RopContext, source: tuple[int, int], target: tuple[int, int]) -> None:
    """Copy a folder with all in it into another. Raises Refused."""
    like = partial(tree.copy_folder, actor=ctx.actor, source=source, target=target, name="", now=ctx.now)
    made = ctx.write(like)
    with ctx.read() as txn:
        mids = chosen.mids_in(txn, *source)
        below = [each.fid for each in folders.children(txn, *source)]
    for some in pieces(mids, chosen.STEP):
        copy = partial(
            chosen.transfer,
            actor=ctx.actor,
            source=source,
            mids=some,
            target=(target[0], made),
            copy=True,
            now=ctx.now,
        )
        ctx.write(copy)
    for fid in below:
        copy_branch(ctx, (source[0], fid), (target[0], made))
