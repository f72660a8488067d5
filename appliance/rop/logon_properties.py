"""The Logon object with its properties (`properties.Propertied`): each change is committed at once."""

from collections.abc import Sequence

from appliance.mailbox.properties import stores
from appliance.mailbox.properties.stores import StoreView
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.objects import BytesContent, Content
from appliance.mapi.types import Value
from appliance.mapi.values import Form
from appliance.rop.context import RopContext
from appliance.rop.model import Access
from appliance.rop.objects import Logon, Object
from appliance.rop.properties import Copying, Refusals, Wide
from appliance.store.blobs import Prepared


class LogonObject(Logon):
    """A logon as clients see it."""

    __slots__ = ()

    @property
    def writing(self) -> Access:
        """As `Propertied`."""
        return Access.WRITE

    def form(self, ctx: RopContext) -> Form:
        """As `Propertied`."""
        return ctx.form

    def view(self, ctx: RopContext) -> StoreView:
        """As `Propertied`."""
        session = ctx.session
        return StoreView(
            ctx.txn,
            self.mailbox,
            self.actor,
            page=session.code_page,
            locale=session.locale,
            sort_locale=session.sort_locale,
        )

    def set_properties(
        self, ctx: RopContext, values: Sequence[tuple[int, Value]], *, replicate: bool = True
    ) -> Refusals:
        """As `Propertied`."""
        refused = stores.set_properties(ctx.writing, self.actor, self.mailbox, values)
        return {tag: ec.ecAccessDenied if tag in stores.REFUSED else ec.ecComputed for tag in refused}

    def delete_properties(self, ctx: RopContext, tags: Sequence[int], *, replicate: bool = True) -> Refusals:
        """As `Propertied`."""
        refused = stores.delete_properties(ctx.writing, self.actor, self.mailbox, tags)
        return dict.fromkeys(refused, ec.ecComputed)

    def value(self, ctx: RopContext, tag: int) -> Content | None:
        """As `Propertied`."""
        found = self.view(ctx).get(tag)
        if isinstance(found, str):
            return BytesContent(found.encode("utf-8", "surrogatepass"))
        return BytesContent(found) if isinstance(found, bytes) else None

    def require_writable(self, ctx: RopContext) -> None:
        """As `Propertied`."""
        stores.require_writable(ctx.txn, self.actor, self.mailbox)

    def put_value(self, ctx: RopContext, tag: int, value: Wide) -> None:
        """As `Propertied`; values of mailboxes are small."""
        if isinstance(value, Prepared):
            raise MapiError(ec.ecPropSize)
        code = self.set_properties(ctx, [(tag, value)]).get(tag)
        if code:
            raise MapiError(code)

    def copying(self, target: Object) -> Access:
        """As `Propertied`."""
        return Access.NONE

    def copy_to(self, ctx: RopContext, target: Object, wanted: Copying) -> Refusals:
        """Mailboxes are not copied."""
        raise MapiError(ec.ecNotSupported)
