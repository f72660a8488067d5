"""The Logon object with its properties (`properties.Propertied`): each change is committed at once."""

from collections.abc import Sequence

from appliance.mailbox.properties.places import places
from appliance.mailbox.store_properties import (
    SESSION,
    Languages,
    StoreView,
    delete_properties,
    set_properties,
)
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.errors import MapiError
from appliance.mapi.objects import Content
from appliance.mapi.types import Value
from appliance.mapi.values import Form
from appliance.rop.context import RopContext
from appliance.rop.model import Access
from appliance.rop.objects import Logon, Object
from appliance.rop.properties import Copying, Refusals, Wide
from appliance.rop.values import content_of
from appliance.store.blobs import Prepared


class LogonObject(Logon):
    """A logon."""

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
        languages = Languages(session.locale, session.sort_locale, session.code_page)
        return StoreView(places(ctx.txn, self.mailbox), session.user, languages)

    def set_properties(
        self, ctx: RopContext, values: Sequence[tuple[int, Value]], *, replicate: bool = True
    ) -> Refusals:
        """As `Propertied`. The locales are the session's."""
        refusals = set_properties(ctx.writing, ctx.actor, self.mailbox, values)
        locales = {tag: value for tag, value in values if tag in SESSION and isinstance(value, int)}
        ctx.emit(lambda: self._speak(ctx, locales))
        return refusals

    @staticmethod
    def _speak(ctx: RopContext, locales: dict[int, int]) -> None:
        session = ctx.session
        session.locale = locales.get(tags.PidTagLocaleId, session.locale)
        session.sort_locale = locales.get(tags.PidTagSortLocaleId, session.sort_locale)

    def delete_properties(self, ctx: RopContext, tags: Sequence[int], *, replicate: bool = True) -> Refusals:
        """As `Propertied`."""
        return delete_properties(ctx.writing, ctx.actor, self.mailbox, tags)

    def value(self, ctx: RopContext, tag: int) -> Content | None:
        """As `Propertied`."""
        return content_of(self.view(ctx).get(tag))

    def require_writable(self, ctx: RopContext) -> None:
        """As `Propertied`."""
        if not ctx.actor.admin and ctx.actor.mailbox != self.mailbox:
            raise MapiError(ec.ecAccessDenied)

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
        """As `Propertied`: logons are not copied (MS-OXCPRPT 2.2.10)."""
        raise MapiError(ec.ecNotSupported)
