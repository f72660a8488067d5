"""Sessions of the address book: every method of NSPI (MS-OXNSPI 3.1.4.1) as a call.

`AddressBook` belongs to the process and is shared; `bind` makes a `Session` for a user. Calls may come from
any thread. Reading calls take one read transaction each and return; the two edits return a future that is
done after the commit. What a method refuses comes as `MapiError` with the code that the document names (from
the future, for edits); then no output parameter but the code exists, so a caller needs nothing else.

Strings are str in both directions: a column of type String8 says that the encoder is to use the code page
of the STAT (`values.address_book_form(page)`). A row is a tuple of (tag, value), one for each column and in
their order; the tag has the type that the value really has: PtypErrorCode where there is none. `rows.cells`
turns it into the cells of MAPI over HTTP.

Minimal Entry IDs are the ids of directory entries, which are never used again: they hold over sessions, which
is why all sessions share one server GUID (3.1.4.6). After Bind, a STAT's code page may be the Unicode one as
long as no 8-bit string is asked for; the document leaves that case open (3.1.4.1.8, constraint 1).
"""

import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

from appliance.addressbook import edits, matches, naming, objects, position, rows, special
from appliance.addressbook.answers import Found, Matches, Props, Query, Resolved, Rows, SpecialTable
from appliance.addressbook.objects import Reader
from appliance.addressbook.rows import PropertyRow
from appliance.addressbook.snapshot import Snapshots, Table
from appliance.addressbook.stat import (
    ANONYMOUS_LOGIN,
    CP_WINUNICODE,
    DELETE,
    MID_AMBIGUOUS,
    MID_BEGINNING_OF_TABLE,
    MID_RESOLVED,
    MID_UNRESOLVED,
    UNICODE_PROPTYPES,
    Retrieve,
    SortType,
    Stat,
)
from appliance.directory import anr, entries, identity
from appliance.directory.model import Entry
from appliance.mailbox.actor import Actor
from appliance.mapi import codepages, errors, tags
from appliance.mapi import types as t
from appliance.mapi.names import PropertyName
from appliance.mapi.restrictions import Restriction
from appliance.store.store import Store

MAX_ROWS = 5_000
"""Rows of one reply, at most; clients go on from the position that they are given."""

MAX_REPLY = 8 << 20
"""Bytes of values after which a reply has no further row, about."""

SEEK_ROWS = 50
"""Rows that NspiSeekEntries gives of a container (the document leaves the choice to the server)."""

MAX_EXPLICIT = 100_000
"""Rows of an explicit table, at most (MS-OXNSPI 3.1.4.1.8)."""

MAX_CANDIDATES = 50_000
"""Entries that the different names of one NspiResolveNames may mean, all together."""

MAX_NAMES = 10_000
"""Names or distinguished names of one request, at most."""


class AddressBook:
    """The address book of a store. For any thread."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.snapshots = Snapshots()
        with store.read() as txn:
            guid = identity.get(txn)
        fresh = secrets.token_bytes(16)
        self.guid = guid or store.write(lambda txn: identity.ensure(txn, fresh)).result()
        """The server's GUID, 16 bytes in wire order: ServerGuid of Bind, ProviderUID of ephemeral ids."""

    def bind(self, actor: Actor, flags: int, stat: Stat) -> "Session":
        """NspiBind (3.1.4.1.1). Raises MapiError: NotSupported for an anonymous login, InvalidCodepage for a
        code page that has no 8-bit strings (the Unicode one as well, as in Exchange), LogonFailed for a user
        that is not (or no longer) in the directory."""
        if flags & ANONYMOUS_LOGIN:
            raise errors.MapiError(errors.ecNotSupported, "anonymous login")
        if not rows.is_supported(stat.code_page):
            raise errors.MapiError(errors.ecInvalidCodepage, f"code page {stat.code_page}")
        with self.store.read() as txn:
            user = entries.find(txn, actor.user)
        if not actor.admin and (user is None or not user.enabled):
            raise errors.MapiError(errors.ecLoginFailure, f"user {actor.user}")
        return Session(self, actor)


class Session:
    """A user's session between Bind and Unbind. Holds no tables: a STAT says all (3.1.4.4.1)."""

    def __init__(self, book: AddressBook, actor: Actor) -> None:
        self.book = book
        self.actor = actor
        self._bound = True

    @property
    def guid(self) -> bytes:
        """The ServerGuid that Bind gives."""
        return self.book.guid

    def unbind(self) -> int:
        """NspiUnbind (3.1.4.1.2): UnbindSuccess, and UnbindFailure for a session that is unbound already.
        Every other call then raises MapiError(GeneralFailure)."""
        bound, self._bound = self._bound, False
        return errors.ecUnbindSuccess if bound else errors.ecUnbindFailure

    # Browsing

    def update_stat(self, stat: Stat) -> tuple[Stat, int]:
        """NspiUpdateStat (3.1.4.1.4): the position that the STAT means, and the rows moved (plDelta).
        Raises MapiError: InvalidBookmark, NotFound."""
        with self._reading() as reader:
            return position.update(self._table(reader, stat), stat)

    def query_rows(
        self,
        flags: int,
        stat: Stat,
        table: Sequence[int] | None,
        count: int,
        columns: Sequence[int] | None,
    ) -> Query:
        """NspiQueryRows (3.1.4.1.8): up to `count` rows of the explicit table, or from the STAT's position,
        which then moves behind them. Raises MapiError: InvalidBookmark, NotFound, TableTooBig,
        InvalidCodepage."""
        wanted = rows.default_columns(stat.code_page) if columns is None else tuple(columns)
        rows.check_columns(wanted, stat.code_page)
        with self._reading() as reader:
            if table is not None:
                return Query(stat, self._rows(reader, list(table[: max(count, 0)]), wanted, flags))
            whole = self._table(reader, stat)
            start = position.moved_row(whole, position.initial_row(whole, stat), stat.delta)
            found = self._rows(reader, whole.mids[start : start + max(count, 0)], wanted, flags)
            return Query(position.at_row(whole, stat, start + len(found.rows)), found)

    def seek_entries(
        self,
        stat: Stat,
        target: tuple[int, t.Value],
        table: Sequence[int] | None,
        columns: Sequence[int] | None,
    ) -> Found:
        """NspiSeekEntries (3.1.4.1.9): the first row whose name is not before the target's. Raises MapiError:
        InvalidBookmark, GeneralFailure for another order or property than the display name, NotFound."""
        tag, value = target
        with self._reading() as reader:
            position.container_of(stat)
            if stat.sort_type != SortType.DISPLAY_NAME or not isinstance(value, str):
                raise errors.MapiError(errors.ecError, f"sort type {stat.sort_type:#x}")
            if t.unicode_tag(tag) != tags.PidTagDisplayName:
                raise errors.MapiError(errors.ecError, tags.name_of(tag))
            current = self.book.snapshots.current(reader.txn)
            whole = self._table(reader, stat) if table is None else current.explicit(table, stat.sort_locale)
            row = whole.first_from(current.weight(value, stat.sort_locale))
            if row == len(whole):
                raise errors.MapiError(errors.ecNotFound, "no row so far back")
            mid = whole.mids[row]
            moved = stat.seeking(mid, row, len(whole))
            if columns is None:
                return Found(moved, None)
            rows.check_columns(columns, stat.code_page)
            mids = whole.mids[row : row + SEEK_ROWS] if table is None else whole.mids[row:]
            return Found(moved, self._rows(reader, mids, tuple(columns), Retrieve.EPHEMERAL_IDS))

    def get_matches(
        self,
        stat: Stat,
        restriction: Restriction | None,
        name: PropertyName | None,
        requested: int,
        columns: Sequence[int] | None,
    ) -> Matches:
        """NspiGetMatches (3.1.4.1.10): the rows of the STAT's container that `restriction` is true for; or,
        without one, the objects that a property of the object in CurrentRec holds: the property of `name`,
        or the tag in ContainerID. Raises MapiError: InvalidBookmark, TooComplex, GeneralFailure for an
        unknown object, NotSupported for a property that holds no objects, TableTooBig."""
        with self._reading() as reader:
            if restriction is not None:
                mids = self._restricted(reader, stat, restriction)
            else:
                mids = self._related(reader, stat, name)
            if len(mids) > min(requested, MAX_EXPLICIT):
                raise errors.MapiError(errors.ecTableTooBig, f"{len(mids)} rows")
            moved = stat.of_container(stat.current_rec)
            if columns is None:
                return Matches(moved, mids, None)
            rows.check_columns(columns, stat.code_page)
            return Matches(moved, mids, self._rows(reader, mids, tuple(columns), Retrieve.EPHEMERAL_IDS))

    def resort_restriction(self, stat: Stat, table: Sequence[int]) -> tuple[Stat, list[int]]:
        """NspiResortRestriction (3.1.4.1.11): the objects of an explicit table in the STAT's order; ids that
        name none are left out. Raises MapiError: GeneralFailure for an order that no table has."""
        if stat.sort_type not in position.STATUS_SORTS:
            raise errors.MapiError(errors.ecError, f"sort type {stat.sort_type:#x}")
        with self._reading() as reader:
            current = self.book.snapshots.current(reader.txn)
            mids = current.sorted(table, SortType(stat.sort_type), stat.sort_locale)
        kept = stat.current_rec in mids
        at = (stat.current_rec, stat.num_pos) if kept else (MID_BEGINNING_OF_TABLE, 0)
        return stat.seeking(*at, len(mids)), mids

    def compare_mids(self, stat: Stat, one: int, other: int) -> int:
        """NspiCompareMIds (3.1.4.1.12): -1, 0 or 1 as the first object stands before, at or behind the second
        in the STAT's container. Raises MapiError: InvalidBookmark, GeneralFailure for one not in it."""
        with self._reading() as reader:
            table = self._table(reader, stat)
            first, second = table.row_of(one), table.row_of(other)
        if first is None or second is None:
            raise errors.MapiError(errors.ecError, f"rows of {one:#x} and {other:#x}")
        return (first > second) - (first < second)

    # Objects

    def dn_to_mid(self, names: Sequence[str]) -> list[int]:
        """NspiDNToMId (3.1.4.1.13): the Minimal Entry ID of each distinguished name, 0 for unknown ones."""
        if len(names) > MAX_NAMES:
            raise errors.MapiError(errors.ecTableTooBig, f"{len(names)} names")
        with self._reading() as reader:
            return [reader.mid_of_dn(name) for name in names]

    def query_columns(self, flags: int) -> list[int]:
        """NspiQueryColumns (3.1.4.1.5): every property of the address book."""
        self._check()
        known = sorted(objects.KNOWN)
        return known if flags & UNICODE_PROPTYPES else [objects.string8_tag(tag) for tag in known]

    def get_prop_list(self, flags: int, mid: int, code_page: int) -> list[int]:
        """NspiGetPropList (3.1.4.1.6): the properties that an object has. Raises MapiError: InvalidCodepage,
        GeneralFailure for an unknown object (MS-NSPI 3.1.4.6)."""
        if not rows.is_supported(code_page) and code_page != CP_WINUNICODE:
            raise errors.MapiError(errors.ecInvalidCodepage, f"code page {code_page}")
        with self._reading() as reader:
            return list(self._properties(reader, flags, mid, code_page))

    def get_props(self, flags: int, stat: Stat, columns: Sequence[int] | None) -> Props:
        """NspiGetProps (3.1.4.1.7): properties of the object in CurrentRec; without `columns`, all that it
        has. Raises MapiError: InvalidBookmark, TableTooBig, InvalidCodepage, GeneralFailure."""
        with self._reading() as reader:
            position.container_of(stat)
            if columns is None:
                columns = self._properties(reader, flags, stat.current_rec, stat.code_page)
            rows.check_columns(columns, stat.code_page)
            found = rows.row(reader, reader.find(stat.current_rec), columns, flags)
        return Props(errors.ecWarnWithErrors if rows.has_errors(found) else errors.ecNone, found)

    def resolve_names(
        self, stat: Stat, columns: Sequence[int] | None, names: Sequence[str | bytes | None]
    ) -> Resolved:
        """NspiResolveNames and NspiResolveNamesW (3.1.4.1.16, 3.1.4.1.17): whom each name means within the
        STAT's container. Names in bytes are in the STAT's code page. Raises MapiError: InvalidBookmark,
        InvalidCodepage, TableTooBig."""
        wanted = rows.default_columns(stat.code_page) if columns is None else tuple(columns)
        rows.check_columns(wanted, stat.code_page)
        if len(names) > MAX_NAMES:
            raise errors.MapiError(errors.ecTableTooBig, f"{len(names)} names")
        with self._reading() as reader:
            container = position.container_of(stat)
            texts = [self._text(name, stat.code_page) for name in names]
            meant: dict[str, list[int]] = {}
            looked = 0
            for text in dict.fromkeys(texts):
                found = anr.find(reader.txn, text)
                looked += len(found)
                if looked > MAX_CANDIDATES:
                    raise errors.MapiError(errors.ecTableTooBig, f"{looked} candidates")
                meant[text] = [entry.id for entry in found if position.belongs(container, entry)]
            outcomes = (MID_UNRESOLVED, MID_RESOLVED, MID_AMBIGUOUS)
            mids = [outcomes[min(len(meant[text]), 2)] for text in texts]
            resolved = [meant[text][0] for text in texts if len(meant[text]) == 1]
            return Resolved(mids, self._rows(reader, resolved, wanted, 0))

    # Tables of the server

    def get_special_table(self, flags: int, stat: Stat, version: int) -> SpecialTable:
        """NspiGetSpecialTable (3.1.4.1.3): the hierarchy of containers, without rows when `version` is the
        current one; or the address creation table of TemplateLocale. Raises MapiError(InvalidCodepage)."""
        with self._reading() as reader:
            return special.table(reader, flags, stat, version)

    def get_template_info(
        self, flags: int, display_type: int, dn: str | None, code_page: int, locale: int
    ) -> PropertyRow:
        """NspiGetTemplateInfo (3.1.4.1.18): the template (and script) of a display type, or by its
        distinguished name. Raises MapiError: InvalidCodepage, InvalidLocale."""
        if not rows.is_supported(code_page):
            raise errors.MapiError(errors.ecInvalidCodepage, f"code page {code_page}")
        with self._reading() as reader:
            return special.template(reader, flags, display_type, dn, code_page, locale)

    def get_names_from_ids(
        self, property_set: bytes | None, ids: Sequence[int] | None
    ) -> tuple[list[int] | None, list[PropertyName | None]]:
        """NspiGetNamesFromIDs (MS-NSPI 3.1.4.16)."""
        self._check()
        return naming.names_from_ids(property_set, ids)

    def get_ids_from_names(self, flags: int, names: Sequence[PropertyName | None]) -> tuple[int, list[int]]:
        """NspiGetIDsFromNames (MS-NSPI 3.1.4.17): the code (success or ErrorsReturned) and the tags. Raises
        MapiError(AccessDenied) when asked to verify names that are not all known."""
        self._check()
        return naming.ids_from_names(flags, names)

    # Edits

    def mod_props(
        self, stat: Stat, removed: Sequence[int] | None, added: Sequence[tuple[int, t.Value]]
    ) -> "Future[None]":
        """NspiModProps (3.1.4.1.14): done after the commit. MapiError: InvalidParameter without a list of
        properties to remove or for an unknown object, InvalidObject, AccessDenied."""
        self._check()
        if removed is None:
            return _refused(errors.MapiError(errors.ecInvalidParam, "no list of properties to remove"))
        guid, gone, fresh = self.guid, tuple(removed), tuple(added)
        return self.book.store.write(
            lambda txn: edits.modify(txn, self.actor, guid, stat.current_rec, gone, fresh)
        )

    def mod_link_att(self, flags: int, tag: int, mid: int, entry_ids: Sequence[bytes]) -> "Future[None]":
        """NspiModLinkAtt (3.1.4.1.15): done after the commit. MapiError: NotFound for an unknown property,
        InvalidParameter for an unknown object, AccessDenied."""
        self._check()
        guid, ids, delete = self.guid, tuple(entry_ids), bool(flags & DELETE)
        return self.book.store.write(
            lambda txn: edits.modify_links(txn, self.actor, guid, tag, mid, ids, delete)
        )

    # Inside

    def _check(self) -> None:
        if not self._bound:
            raise errors.MapiError(errors.ecError, "the session is unbound")

    @contextmanager
    def _reading(self) -> Iterator[Reader]:
        self._check()
        with self.book.store.read() as txn:
            yield Reader(txn, self.guid)

    def _table(self, reader: Reader, stat: Stat) -> Table:
        return position.table_of(self.book.snapshots.current(reader.txn), stat)

    def _rows(self, reader: Reader, mids: Sequence[int], columns: tuple[int, ...], flags: int) -> Rows:
        """Rows of objects, as many as a reply may have: one at least."""
        found: list[PropertyRow] = []
        left = MAX_REPLY
        for mid in mids[:MAX_ROWS]:
            row = rows.row(reader, reader.find(mid), columns, flags)
            found.append(row)
            left -= sum(rows.weight(value) for _, value in row)
            if left < 0:
                break
        return Rows(columns, found)

    def _properties(self, reader: Reader, flags: int, mid: int, code_page: int) -> tuple[int, ...]:
        item = reader.find(mid)
        if item is None:
            raise errors.MapiError(errors.ecError, f"object {mid:#x}")
        return rows.property_list(reader, item, flags, code_page)

    def _restricted(self, reader: Reader, stat: Stat, restriction: Restriction) -> list[int]:
        table = self._table(reader, stat)
        current = self.book.snapshots.current(reader.txn)
        return matches.restricted(reader, current, table.mids, restriction)

    def _related(self, reader: Reader, stat: Stat, name: PropertyName | None) -> list[int]:
        if name is not None and stat.sort_type in position.STATUS_SORTS:
            position.container_of(stat)
        entry = reader.find(stat.current_rec)
        if not isinstance(entry, Entry):
            raise errors.MapiError(errors.ecError, f"object {stat.current_rec:#x}")
        tag = stat.container_id if name is None else naming.tag_of(name)
        if stat.sort_type == SortType.DISPLAY_NAME_W and not edits.may_change_table(
            reader.txn, self.actor, entry, tag
        ):
            raise errors.MapiError(errors.ecNotSupported, f"{tags.name_of(tag)} cannot be changed")
        found = matches.related(reader, entry, tag)
        current = self.book.snapshots.current(reader.txn)
        return current.sorted(found, SortType.DISPLAY_NAME, stat.sort_locale)

    def _text(self, name: str | bytes | None, code_page: int) -> str:
        if not isinstance(name, bytes):
            return name or ""
        if not rows.is_writable(code_page):
            raise errors.MapiError(errors.ecInvalidCodepage, f"code page {code_page}")
        return codepages.decode(name, code_page)


def _refused(error: errors.MapiError) -> "Future[None]":
    future: Future[None] = Future()
    future.set_exception(error)
    return future
