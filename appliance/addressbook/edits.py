"""Changes by users: certificates and photos of their own, members of groups that they manage, delegates
(MS-OXNSPI 3.1.4.1.14, 3.1.4.1.15).

Who may: everybody for the own entry, a group's managers for its members, and who has a right over recipients
(or the organization) for all. Functions of one write transaction, so that a refusal changes nothing.

deviation: Exchange since 2010 does not store certificates this way and answers member changes with
GeneralFailure (MS-OXNSPI 7, notes 7 and 8); here both work as the document describes them.
"""

from collections.abc import Callable, Sequence

from appliance.addressbook import matches, objects
from appliance.addressbook.objects import Reader
from appliance.directory import certificates, entries, links, resolve
from appliance.directory.entries import Part
from appliance.directory.links import Link
from appliance.directory.model import WITH_MAILBOX, Entry, Kind, Right
from appliance.mailbox.actor import Actor
from appliance.mapi import errors, tags
from appliance.mapi import types as t
from appliance.store.errors import StoreError
from appliance.store.kv import ReadTxn, WriteTxn

MAX_LINKS = 10_000
"""Entry ids of one NspiModLinkAtt, at most."""


def modify(
    txn: WriteTxn,
    actor: Actor,
    server: bytes,
    mid: int,
    removed: Sequence[int],
    added: Sequence[tuple[int, t.Value]],
) -> None:
    """NspiModProps: take `removed` properties away, then set those of `added`. Raises MapiError:
    InvalidParameter for an unknown object, InvalidObject for one of another kind than a mailbox's,
    AccessDenied for all else that cannot be done."""
    item = Reader(txn, server).find(mid)
    if item is None:
        raise errors.MapiError(errors.ecInvalidParam, f"object {mid:#x}")
    if not isinstance(item, Entry) or item.kind not in WITH_MAILBOX:
        raise errors.MapiError(errors.ecInvalidObject, f"object {mid:#x}")
    if not _may_change(txn, actor, item.id):
        raise errors.MapiError(errors.ecAccessDenied, "not the user's own entry")
    for tag in removed:
        _setter(tag)(txn, item.id, None)
    for tag, value in added:
        _setter(tag)(txn, item.id, value)


def modify_links(
    txn: WriteTxn, actor: Actor, server: bytes, tag: int, mid: int, entry_ids: Sequence[bytes], delete: bool
) -> None:
    """NspiModLinkAtt: add entries to a table-valued property, or take them away. Raises MapiError: NotFound
    for one that holds no objects, InvalidParameter for an unknown object, AccessDenied for all else."""
    known = objects.known_tag(t.with_type(tag, t.PtypUnspecified))
    if known is None or t.type_of(known) != t.PtypObject:  # observed: Exchange knows no other
        raise errors.MapiError(errors.ecNotFound, tags.name_of(tag))
    reader = Reader(txn, server)
    item = reader.find(mid)
    if item is None:
        raise errors.MapiError(errors.ecInvalidParam, f"object {mid:#x}")
    change = _LINKS.get((t.id_of(tag), item.kind)) if isinstance(item, Entry) else None
    if change is None or not isinstance(item, Entry) or len(entry_ids) > MAX_LINKS:
        raise errors.MapiError(errors.ecAccessDenied, f"{tags.name_of(tag)} of object {mid:#x}")
    if not _may_change(txn, actor, item.id):
        raise errors.MapiError(errors.ecAccessDenied, "neither the user's own entry nor managed by the user")
    for entry_id in entry_ids:
        other = matches.entry_of(reader, entry_id)
        if other is None and not delete:
            raise errors.MapiError(errors.ecAccessDenied, "no entry has that entry id")
        if other is not None:
            with_errors(change, txn, item, other, delete)


def with_errors(
    change: Callable[[WriteTxn, Entry, Entry, bool], None],
    txn: WriteTxn,
    item: Entry,
    other: Entry,
    delete: bool,
) -> None:
    """A change of links; what the directory refuses (a group within itself) is AccessDenied."""
    try:
        change(txn, item, other, delete)
    except StoreError as error:
        raise errors.MapiError(errors.ecAccessDenied, str(error)) from error


def may_change_table(txn: ReadTxn, actor: Actor, entry: Entry, tag: int) -> bool:
    """Whether `modify_links` would let the actor change a property: what a writable table asks for."""
    return (t.id_of(tag), entry.kind) in _LINKS and _may_change(txn, actor, entry.id)


def _may_change(txn: ReadTxn, actor: Actor, id: int) -> bool:
    if actor.admin or actor.user == id:
        return True
    user = entries.find(txn, actor.user)
    if user is None or not user.enabled:
        return False
    over_all = Right.RECIPIENT_MANAGEMENT | Right.ORGANIZATION_MANAGEMENT
    return bool(user.rights & over_all) or links.has(txn, Link.MANAGED_BY, id, user.id)


def _change_member(txn: WriteTxn, group: Entry, member: Entry, delete: bool) -> None:
    if delete:
        resolve.remove_member(txn, group, member)
    else:
        resolve.add_member(txn, group, member)


def _change_delegate(txn: WriteTxn, owner: Entry, delegate: Entry, delete: bool) -> None:
    if delete:
        links.remove(txn, Link.SEND_ON_BEHALF, owner.id, delegate.id)
    else:
        links.add(txn, Link.SEND_ON_BEHALF, owner.id, delegate.id)
    entries.moved(txn)


_LINKS: dict[tuple[int, Kind], Callable[[WriteTxn, Entry, Entry, bool], None]] = {
    (t.id_of(tags.PidTagAddressBookMember), Kind.GROUP): _change_member,
    **{(t.id_of(tags.PidTagAddressBookPublicDelegates), kind): _change_delegate for kind in WITH_MAILBOX},
}

_Setter = Callable[[WriteTxn, int, t.Value], None]


def _set_certificates(put: Callable[[WriteTxn, int, tuple[bytes, ...]], None]) -> _Setter:
    def setter(txn: WriteTxn, id: int, value: t.Value) -> None:
        found = value if isinstance(value, tuple) else ()
        put(txn, id, tuple(one for one in found if isinstance(one, bytes) and one))

    return setter


def _set_photo(txn: WriteTxn, id: int, value: t.Value) -> None:
    entries.set_blob(txn, id, Part.PHOTO, value if isinstance(value, bytes) and value else None)


_SETTERS: dict[int, _Setter] = {
    tags.PidTagAddressBookX509Certificate: _set_certificates(certificates.set_x509),
    tags.PidTagUserX509Certificate: _set_certificates(certificates.set_smime),
    tags.PidTagThumbnailPhoto: _set_photo,
}


def _setter(tag: int) -> _Setter:
    found = _SETTERS.get(tag)
    if found is None:
        raise errors.MapiError(errors.ecAccessDenied, f"{tags.name_of(tag)} is not the user's to change")

    def guarded(txn: WriteTxn, id: int, value: t.Value) -> None:
        try:
            found(txn, id, value)
        except StoreError as error:
            raise errors.MapiError(errors.ecAccessDenied, str(error)) from error

    return guarded
