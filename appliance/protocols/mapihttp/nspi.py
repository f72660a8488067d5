"""The address book endpoint: every request type of MS-OXCMAPIHTTP 2.2.5 over `addressbook`.

A method that refuses is answered in its own body: the code, and none of what is optional. Methods that read
run in reader threads; the two that write are answered after the commit.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from appliance.addressbook import referral, rows
from appliance.addressbook.answers import Rows
from appliance.addressbook.rows import PropertyRow
from appliance.addressbook.session import AddressBook, Session
from appliance.addressbook.stat import Stat
from appliance.mailbox.actor import Actor
from appliance.mapi import errors as ec
from appliance.mapi import types as t
from appliance.mapi.errors import MapiError
from appliance.mapi.names import PropertyName
from appliance.net.bridge import read_now
from appliance.net.offers import authority
from appliance.net.parts import Parts
from appliance.protocols.mapihttp.bodies import nspi as bodies
from appliance.protocols.mapihttp.bodies.values import PropertyList, RowSet, page_of
from appliance.protocols.mapihttp.endpoint import Call, Kind, Opened, Turn
from appliance.store.kv import ReadTxn
from appliance.wire.record import Record

TLS_PORT = 443


@dataclass(frozen=True, slots=True)
class Method:
    """A row: its request's body, the function, and the response for a code."""

    request: type[Record]
    run: Callable[[Session, Any], Record]
    refused: Callable[[Any, int], Record]


class AddressBookRows:
    """The rows of the endpoint that are more than a call of the session."""

    def __init__(self, parts: Parts, book: AddressBook) -> None:
        self._parts, self._book = parts, book

    def kinds(self) -> Mapping[str, Kind[Session]]:
        """The rows by request type."""
        kinds = {
            "Bind": Kind(bodies.BindRequest, Turn.OPENS, self.bind),
            "Unbind": Kind(bodies.UnbindRequest, Turn.ENDS, unbind),
            "ModProps": Kind(bodies.ModPropsRequest, Turn.USES, mod_props),
            "ModLinkAtt": Kind(bodies.ModLinkAttRequest, Turn.USES, mod_link_att),
            "GetMailboxUrl": Kind(bodies.UrlRequest, Turn.MAY_USE, self.get_mailbox_url),
            "GetAddressBookUrl": Kind(bodies.UrlRequest, Turn.MAY_USE, self.get_address_book_url),
        }
        return kinds | {name: Kind(row.request, Turn.USES, _reading(row)) for name, row in READING.items()}

    async def bind(self, call: Call[Session]) -> Opened[Session]:
        """NspiBind (MS-OXNSPI 3.1.4.1.1)."""
        request: bodies.BindRequest = call.request
        user = call.login.user
        try:
            session = self._book.bind(Actor(user.id, user.mailbox), request.flags, request.state or Stat())
        except MapiError as error:
            return Opened(bodies.BindResponse(0, error.code, bytes(16)))
        return Opened(bodies.BindResponse(0, ec.ecNone, session.guid), session)

    async def get_mailbox_url(self, call: Call[Session]) -> bodies.UrlResponse:
        """Where a server's mailboxes are (MS-OXABREF 3.1.4.2)."""
        return self._url(call, referral.mailbox_url)

    async def get_address_book_url(self, call: Call[Session]) -> bodies.UrlResponse:
        """Where the address book of a user is (MS-OXABREF 3.1.4.1)."""
        return self._url(call, referral.address_book_url)

    def _url(self, call: Call[Session], find: Callable[[ReadTxn, Actor, str], str]) -> bodies.UrlResponse:
        port = TLS_PORT + self._parts.settings.serve.port_offset
        base = f"https://{authority(self._parts.organization.hostname, port)}"
        user = call.login.user
        actor = Actor(user.id, user.mailbox)
        try:
            url = read_now(self._parts.store, lambda txn: find(txn, actor, base))
        except MapiError as error:
            return bodies.UrlResponse(0, error.code, "")
        return bodies.UrlResponse(0, ec.ecNone, url)


# -- how the methods are run ---------------------------------------------------------------------------


def _reading(row: Method) -> Callable[[Call[Session]], Any]:
    async def run(call: Call[Session]) -> Record:
        assert call.held is not None
        session, request = call.held, call.request
        try:
            return await asyncio.get_running_loop().run_in_executor(None, row.run, session, request)
        except MapiError as error:
            return row.refused(request, error.code)

    return run


async def unbind(call: Call[Session]) -> bodies.CodeResponse:
    """NspiUnbind (MS-OXNSPI 3.1.4.1.2): its success has a code of its own."""
    assert call.held is not None
    return bodies.CodeResponse(0, call.held.unbind())


async def mod_props(call: Call[Session]) -> bodies.CodeResponse:
    """NspiModProps (MS-OXNSPI 3.1.4.1.14)."""
    request: bodies.ModPropsRequest = call.request
    assert call.held is not None
    session = call.held
    return await _written(
        lambda: session.mod_props(needed(request.state), request.property_tags, request.property_values or ())
    )


async def mod_link_att(call: Call[Session]) -> bodies.CodeResponse:
    """NspiModLinkAtt (MS-OXNSPI 3.1.4.1.15)."""
    request: bodies.ModLinkAttRequest = call.request
    assert call.held is not None
    session = call.held
    return await _written(
        lambda: session.mod_link_att(
            request.flags, request.property_tag, request.minimal_id, request.entry_ids or ()
        )
    )


async def _written(begin: Callable[[], "Future[None]"]) -> bodies.CodeResponse:
    try:
        await asyncio.wrap_future(begin())
    except MapiError as error:
        return bodies.CodeResponse(0, error.code)
    return bodies.CodeResponse(0, ec.ecNone)


# -- the methods that read -----------------------------------------------------------------------------


def needed(state: Stat | None) -> Stat:
    """The STAT of a method that has no meaning without one. Raises MapiError."""
    if state is None:
        raise MapiError(ec.ecError, "no STAT")
    return state


def _row_set(found: Rows | None, state: Stat) -> RowSet | None:
    if found is None:
        return None
    made = tuple(rows.cells(found.columns, row) for row in found.rows)
    return RowSet(found.columns, made, page_of(state))


def _property_list(row: PropertyRow, page: int) -> PropertyList:
    """A row with its tags. A table's value is 0 there, as it is in rows."""
    return PropertyList(
        tuple((tag, 0 if t.type_of(tag) == t.PtypObject else value) for tag, value in row), page
    )


def compare_min_ids(session: Session, request: bodies.CompareMinIdsRequest) -> Record:
    """NspiCompareMIds (MS-OXNSPI 3.1.4.1.12)."""
    result = session.compare_mids(needed(request.state), request.minimal_id1, request.minimal_id2)
    return bodies.CompareMinIdsResponse(0, ec.ecNone, result)


def dn_to_min_id(session: Session, request: bodies.DnToMinIdRequest) -> Record:
    """NspiDNToMId (MS-OXNSPI 3.1.4.1.13)."""
    return bodies.DnToMinIdResponse(0, ec.ecNone, tuple(session.dn_to_mid(request.names or ())))


def get_matches(session: Session, request: bodies.GetMatchesRequest) -> Record:
    """NspiGetMatches (MS-OXNSPI 3.1.4.1.10). Ids to search among are reserved (MS-NSPI 3.1.4.10)."""
    if request.minimal_ids is not None:
        raise MapiError(ec.ecTooComplex, "reserved ids")
    state, name = needed(request.state), request.property_name
    found = session.get_matches(
        state,
        request.filter,
        PropertyName(name.guid, name.id) if name is not None else None,
        request.row_count,
        request.columns,
    )
    return bodies.GetMatchesResponse(0, ec.ecNone, found.stat, tuple(found.mids), _row_set(found.rows, state))


def get_prop_list(session: Session, request: bodies.GetPropListRequest) -> Record:
    """NspiGetPropList (MS-OXNSPI 3.1.4.1.6)."""
    found = session.get_prop_list(request.flags, request.minimal_id, request.code_page)
    return bodies.GetPropListResponse(0, ec.ecNone, tuple(found))


def get_props(session: Session, request: bodies.GetPropsRequest) -> Record:
    """NspiGetProps (MS-OXNSPI 3.1.4.1.7)."""
    state = needed(request.state)
    found = session.get_props(request.flags, state, request.property_tags)
    return bodies.GetPropsResponse(0, found.code, state.code_page, _property_list(found.row, page_of(state)))


def get_special_table(session: Session, request: bodies.GetSpecialTableRequest) -> Record:
    """NspiGetSpecialTable (MS-OXNSPI 3.1.4.1.3)."""
    state = needed(request.state)
    found = session.get_special_table(request.flags, state, request.version or 0)
    lists = tuple(_property_list(row, page_of(state)) for row in found.rows)
    return bodies.GetSpecialTableResponse(0, ec.ecNone, state.code_page, found.version, lists or None)


def get_template_info(session: Session, request: bodies.GetTemplateInfoRequest) -> Record:
    """NspiGetTemplateInfo (MS-OXNSPI 3.1.4.1.18)."""
    row = session.get_template_info(
        request.flags, request.display_type, request.template_dn, request.code_page, request.locale_id
    )
    page = page_of(Stat(code_page=request.code_page))
    return bodies.GetTemplateInfoResponse(0, ec.ecNone, request.code_page, _property_list(row, page))


def query_rows(session: Session, request: bodies.QueryRowsRequest) -> Record:
    """NspiQueryRows (MS-OXNSPI 3.1.4.1.8). Without explicit table the STAT says where to begin."""
    state = needed(request.state)
    table = request.explicit_table or None
    found = session.query_rows(request.flags, state, table, request.row_count, request.columns)
    return bodies.StateAndRowsResponse(0, ec.ecNone, found.stat, _row_set(found.rows, state))


def query_columns(session: Session, request: bodies.QueryColumnsRequest) -> Record:
    """NspiQueryColumns (MS-OXNSPI 3.1.4.1.5)."""
    return bodies.QueryColumnsResponse(0, ec.ecNone, tuple(session.query_columns(request.mapi_flags)))


def resolve_names(session: Session, request: bodies.ResolveNamesRequest) -> Record:
    """NspiResolveNamesW (MS-OXNSPI 3.1.4.1.17)."""
    state = needed(request.state)
    found = session.resolve_names(state, request.property_tags, request.names or ())
    row_set = _row_set(found.rows, state)
    return bodies.ResolveNamesResponse(0, ec.ecNone, state.code_page, tuple(found.mids), row_set)


def resort_restriction(session: Session, request: bodies.ResortRestrictionRequest) -> Record:
    """NspiResortRestriction (MS-OXNSPI 3.1.4.1.11)."""
    state, mids = session.resort_restriction(needed(request.state), request.minimal_ids or ())
    return bodies.ResortRestrictionResponse(0, ec.ecNone, state, tuple(mids))


def seek_entries(session: Session, request: bodies.SeekEntriesRequest) -> Record:
    """NspiSeekEntries (MS-OXNSPI 3.1.4.1.9)."""
    state = needed(request.state)
    if request.target is None:
        raise MapiError(ec.ecError, "no target")
    found = session.seek_entries(state, request.target, request.explicit_table, request.columns)
    return bodies.StateAndRowsResponse(0, ec.ecNone, found.stat, _row_set(found.rows, state))


def update_stat(session: Session, request: bodies.UpdateStatRequest) -> Record:
    """NspiUpdateStat (MS-OXNSPI 3.1.4.1.4)."""
    state, delta = session.update_stat(needed(request.state))
    return bodies.UpdateStatResponse(0, ec.ecNone, state, delta if request.delta_requested else None)


def _page(request: Any) -> int:
    state: Stat | None = request.state
    return state.code_page if state is not None else 0


READING: Mapping[str, Method] = {
    "CompareMIds": Method(
        bodies.CompareMinIdsRequest,
        compare_min_ids,
        lambda request, code: bodies.CompareMinIdsResponse(0, code, 0),
    ),
    "DNToMId": Method(
        bodies.DnToMinIdRequest,
        dn_to_min_id,
        lambda request, code: bodies.DnToMinIdResponse(0, code, None),
    ),
    "GetMatches": Method(
        bodies.GetMatchesRequest,
        get_matches,
        lambda request, code: bodies.GetMatchesResponse(0, code, request.state, None, None),
    ),
    "GetPropList": Method(
        bodies.GetPropListRequest,
        get_prop_list,
        lambda request, code: bodies.GetPropListResponse(0, code, None),
    ),
    "GetProps": Method(
        bodies.GetPropsRequest,
        get_props,
        lambda request, code: bodies.GetPropsResponse(0, code, _page(request), None),
    ),
    "GetSpecialTable": Method(
        bodies.GetSpecialTableRequest,
        get_special_table,
        lambda request, code: bodies.GetSpecialTableResponse(0, code, _page(request), None, None),
    ),
    "GetTemplateInfo": Method(
        bodies.GetTemplateInfoRequest,
        get_template_info,
        lambda request, code: bodies.GetTemplateInfoResponse(0, code, request.code_page, None),
    ),
    "QueryRows": Method(
        bodies.QueryRowsRequest,
        query_rows,
        lambda request, code: bodies.StateAndRowsResponse(0, code, request.state, None),
    ),
    "QueryColumns": Method(
        bodies.QueryColumnsRequest,
        query_columns,
        lambda request, code: bodies.QueryColumnsResponse(0, code, None),
    ),
    "ResolveNames": Method(
        bodies.ResolveNamesRequest,
        resolve_names,
        lambda request, code: bodies.ResolveNamesResponse(0, code, _page(request), None, None),
    ),
    "ResortRestriction": Method(
        bodies.ResortRestrictionRequest,
        resort_restriction,
        lambda request, code: bodies.ResortRestrictionResponse(0, code, request.state, None),
    ),
    "SeekEntries": Method(
        bodies.SeekEntriesRequest,
        seek_entries,
        lambda request, code: bodies.StateAndRowsResponse(0, code, request.state, None),
    ),
    "UpdateStat": Method(
        bodies.UpdateStatRequest,
        update_stat,
        lambda request, code: bodies.UpdateStatResponse(0, code, request.state, None),
    ),
}
