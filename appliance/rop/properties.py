"""Objects with properties, as the property, stream and copy ROPs see them (MS-OXCPRPT).

Messages, attachments, folders and logons have the methods of `Propertied`; the ROPs of `ops/` know nothing
else of them. Tags are those of bags: strings are Unicode, named properties have the ids of the store. What
the wire wants besides (8-bit strings, types that the client leaves open, rows) is done here, once for all
kinds.

A change of a message or attachment is held by its object until it is saved; a change of a folder or logon is
committed at once. `writing` says what a change needs: Access.READ for the former, Access.WRITE for the
latter.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, cast, runtime_checkable

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.objects import Content
from appliance.mapi.rows import PropertyError
from appliance.mapi.types import (
    PtypMultipleString,
    PtypMultipleString8,
    PtypString,
    PtypString8,
    Value,
    type_of,
)
from appliance.mapi.values import Form
from appliance.rop.context import RopContext
from appliance.rop.model import Access
from appliance.rop.objects import Logon, Object
from appliance.store.blobs import Prepared
from appliance.wire.fields import U16, U32, Array
from appliance.wire.record import Record, as_codec

Refusals = dict[int, int]
"""Tags that could not be set, deleted or copied, and the error code of each."""

Wide = bytes | str | Prepared
"""A value that a stream brings: small bytes or text, or bytes that are in the store already (text as
UTF-8)."""


class View(Protocol):
    """The properties of an object in one snapshot, with what the session changed and did not save."""

    def get(self, tag: int) -> Value | PropertyError:
        """A property; None where there is none; ecMAPIOOM for one that only a stream can read."""

    def tags(self) -> Iterable[int]:
        """Every property that there is."""


@dataclass(frozen=True, slots=True)
class Copying:
    """What RopCopyTo and RopCopyProperties are to copy: `only` these tags, or all but `excluded`; tags as
    bags hold them. `subobjects`: recipients, attachments, folders and messages inside too."""

    only: tuple[int, ...] | None
    excluded: frozenset[int] = frozenset()
    overwrite: bool = True
    subobjects: bool = True

    def wants(self, tag: int) -> bool:
        """Whether a property is to be copied. Excluding a property does so in every type."""
        if self.only is not None:
            return tag in self.only
        return tag >> 16 not in {each >> 16 for each in self.excluded}


class Propertied(Protocol):
    """An object with properties."""

    @property
    def logon(self) -> Logon:
        """The logon that it was opened on."""

    @property
    def writing(self) -> Access:
        """What `set_properties`, `delete_properties` and `put_value` need of the context."""

    def form(self, ctx: RopContext) -> Form:
        """How its values stand in ROP buffers: the code page of its 8-bit strings (MS-OXCPRPT 3.2.5.1)."""

    def view(self, ctx: RopContext) -> View:
        """Its properties; needs a transaction. Raises ecObjectDeleted, ecNotFound."""

    def set_properties(
        self, ctx: RopContext, values: Sequence[tuple[int, Value]], *, replicate: bool = True
    ) -> Refusals:
        """Set properties, in order. What cannot be set is left out and told (ecComputed for what is
        read-only). Raises ecAccessDenied. `replicate`: whether other replicas hear of it (MS-OXCPRPT
        2.2.6)."""

    def delete_properties(self, ctx: RopContext, tags: Sequence[int], *, replicate: bool = True) -> Refusals:
        """Take properties away; those that are not there are no refusals. Raises ecAccessDenied."""

    def value(self, ctx: RopContext, tag: int) -> Content | None:
        """The bytes of a String (as UTF-8), Binary or Object property, to be read piece by piece at any time;
        None where there is none. Needs a transaction."""

    def require_writable(self, ctx: RopContext) -> None:
        """Raises ecAccessDenied unless its properties may be changed. Needs a transaction."""

    def put_value(self, ctx: RopContext, tag: int, value: Wide) -> None:
        """Set a property to what a stream brought. Raises ecAccessDenied, ecComputed."""

    def copying(self, target: Object) -> Access:
        """What `copy_to` needs of the context."""

    def copy_to(self, ctx: RopContext, target: Object, wanted: Copying) -> Refusals:
        """Copy properties to an object of the same kind. Raises ecNotSupported for another kind, ecMsgCycle,
        ecFolderCycle, ecDuplicateName, ecAccessDenied."""


@runtime_checkable
class Keeping(Propertied, Protocol):
    """An object that holds changes until it is saved."""

    @property
    def pending(self) -> dict[int, Any]:
        """Streams with values that wait to be taken, by tag."""


def propertied(ctx: RopContext) -> Propertied:
    """The input object. Raises ecNotSupported for one without properties."""
    found = ctx.input(Object)
    if not hasattr(found, "set_properties"):  # asking the Protocol itself takes 15 µs, in each ROP
        raise MapiError(ec.ecNotSupported)
    return cast(Propertied, found)


class PropertyProblem(Record):
    """MS-OXCDATA 2.7: the place of a tag in the request, the tag, and what went wrong."""

    index: Annotated[int, U16]
    tag: Annotated[int, U32]
    code: Annotated[int, U32]


class Problems(Record):
    """The body of responses that tell of nothing but problems."""

    problems: Annotated[tuple[PropertyProblem, ...], Array(as_codec(PropertyProblem), 2)]

    @classmethod
    def of(cls, tags: Sequence[int], refusals: Mapping[int, int]) -> "Problems":
        """The problems with those of the request's tags that were refused, in its order."""
        return cls(
            tuple(
                PropertyProblem(index, tag, refusals[bag_tag(tag)])
                for index, tag in enumerate(tags)
                if bag_tag(tag) in refusals
            )
        )


def bag_tag(tag: int) -> int:
    """The tag under which bags hold a property: String8 becomes String."""
    kind = type_of(tag)
    if kind == PtypString8:
        return tag & 0xFFFF0000 | PtypString
    if kind == PtypMultipleString8:
        return tag & 0xFFFF0000 | PtypMultipleString
    return tag
