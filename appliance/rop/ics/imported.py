"""A message that a client imports: a handle that is filled like any other and saved as an import (MS-OXCFXICS
3.2.5.9.4.2)."""

from appliance.mailbox import imports
from appliance.mailbox import messages as mail
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.ics.collector import Collector
from appliance.rop.messages import Message
from appliance.rop.model import Access
from appliance.store.drafts import Draft, Outcome
from appliance.store.permissions import Right


class ImportedMessage(Message):
    """Until its first save it is as empty as a new message, whatever the store has under its id."""

    __slots__ = ("_collector",)
    _collector: Collector

    @classmethod
    def importing(cls, collector: Collector, draft: Draft, page: int) -> "ImportedMessage":
        """A handle on an import. `draft` comes from `imports.open_import`."""
        right = Right.READ_ANY | Right.EDIT_ANY | Right.DELETE_ANY
        made = cls(collector.logon, draft.fid, page, right=right, writable=True, associated=draft.associated)
        made.draft = draft
        made._collector = collector
        return made

    @property
    def _is_import(self) -> bool:
        return self.draft is not None and self.draft.incoming is not None

    def saving(self) -> Access:
        """As `Message`: a conflict may have to be resolved, which takes steps."""
        return Access.APART if self._is_import else super().saving()

    def save(self, ctx: RopContext, *, force: bool, keep_writable: bool) -> int:
        """As `Message`. Raises ecSyncIgnore when the store has the version meanwhile."""
        draft = self.draft
        if draft is None or not self._is_import:
            return super().save(ctx, force=force, keep_writable=keep_writable)
        if not self.writable:
            raise MapiError(ec.ecError)
        actor, mailbox = ctx.actor, self.logon.mailbox
        saved = imports.save_import(ctx.store, actor, draft, now=ctx.now)
        with ctx.read() as txn:
            right = mail.rights_on(txn, actor, mailbox, saved.row)
        if saved.outcome in (Outcome.CREATED, Outcome.CHANGED):
            # After a conflict the client has yet to download what became of it (3.1.5.6.2).
            self._collector.imported(saved.row.cn, associated=saved.row.associated)
        ctx.emit(lambda: self.saved(saved, right, writable=keep_writable))
        return saved.row.mid
