"""Bodies of the address book endpoint (MS-OXCMAPIHTTP 2.2.5). Reserved fields are kept as they come: nobody
looks at them. What is optional is None where it is absent."""

from typing import Annotated, Any

from appliance.addressbook.stat import Stat
from appliance.mapi.restrictions import Restriction
from appliance.protocols.mapihttp.bodies.common import Auxiliary, optional
from appliance.protocols.mapihttp.bodies.values import (
    MINIMAL_IDS,
    OPTIONAL_FILTER,
    OPTIONAL_TARGET,
    OPTIONAL_VALUES,
    PROPERTY_LIST,
    PROPERTY_TAGS,
    ROW_SET,
    PropertyList,
    RowSet,
    TaggedValue,
)
from appliance.wire.fields import (
    I32,
    NUL_UTF16,
    U32,
    Array,
    CountedBytes,
    Guid,
    Int32,
    NulText,
    UInt8,
    UInt32,
    Utf16,
)
from appliance.wire.record import Record

MAX_NAMES = 10_000
MAX_ENTRY_IDS = 10_000
MAX_ENTRY_ID = 4096

State = Annotated[Stat | None, optional(Stat)]
OptionalTags = Annotated[tuple[int, ...] | None, optional(PROPERTY_TAGS)]
OptionalIds = Annotated[tuple[int, ...] | None, optional(MINIMAL_IDS)]
OptionalList = Annotated[PropertyList | None, optional(PROPERTY_LIST)]
OptionalRows = Annotated[RowSet | None, optional(ROW_SET)]
OptionalNumber = Annotated[int | None, optional(U32)]
_ASCII = NulText("latin-1")  # distinguished names of strangers are unknown, never damaged


class BindRequest(Record):
    """2.2.5.1.1."""

    flags: UInt32
    state: State
    auxiliary: Auxiliary = b""


class BindResponse(Record):
    """2.2.5.1.2."""

    status_code: UInt32
    error_code: UInt32
    server_guid: Guid
    auxiliary: Auxiliary = b""


class UnbindRequest(Record):
    """2.2.5.2.1."""

    reserved: UInt32
    auxiliary: Auxiliary = b""


class CodeResponse(Record):
    """A response that is its code: of Unbind, ModLinkAtt and ModProps (2.2.5.2.2, 2.2.5.10.2, 2.2.5.11.2)."""

    status_code: UInt32
    error_code: UInt32
    auxiliary: Auxiliary = b""


class CompareMinIdsRequest(Record):
    """2.2.5.3.1."""

    reserved: UInt32
    state: State
    minimal_id1: UInt32
    minimal_id2: UInt32
    auxiliary: Auxiliary = b""


class CompareMinIdsResponse(Record):
    """2.2.5.3.2."""

    status_code: UInt32
    error_code: UInt32
    result: Int32
    auxiliary: Auxiliary = b""


class DnToMinIdRequest(Record):
    """2.2.5.4.1."""

    reserved: UInt32
    names: Annotated[tuple[str, ...] | None, optional(Array(_ASCII, 4, MAX_NAMES, 1))]
    auxiliary: Auxiliary = b""


class DnToMinIdResponse(Record):
    """2.2.5.4.2."""

    status_code: UInt32
    error_code: UInt32
    minimal_ids: OptionalIds
    auxiliary: Auxiliary = b""


class PropertyNameId(Record):
    """PropertyNameGuid and PropertyNameId (2.2.5.5.1)."""

    guid: Guid
    id: UInt32


class GetMatchesRequest(Record):
    """2.2.5.5.1."""

    reserved: UInt32
    state: State
    minimal_ids: OptionalIds
    interface_option_flags: UInt32
    filter: Annotated[Restriction | None, OPTIONAL_FILTER]
    property_name: Annotated[PropertyNameId | None, optional(PropertyNameId)]
    row_count: UInt32
    columns: OptionalTags
    auxiliary: Auxiliary = b""


class GetMatchesResponse(Record):
    """2.2.5.5.2."""

    status_code: UInt32
    error_code: UInt32
    state: State
    minimal_ids: OptionalIds
    rows: OptionalRows
    auxiliary: Auxiliary = b""


class GetPropListRequest(Record):
    """2.2.5.6.1."""

    flags: UInt32
    minimal_id: UInt32
    code_page: UInt32
    auxiliary: Auxiliary = b""


class GetPropListResponse(Record):
    """2.2.5.6.2."""

    status_code: UInt32
    error_code: UInt32
    property_tags: OptionalTags
    auxiliary: Auxiliary = b""


class GetPropsRequest(Record):
    """2.2.5.7.1."""

    flags: UInt32
    state: State
    property_tags: OptionalTags
    auxiliary: Auxiliary = b""


class GetPropsResponse(Record):
    """2.2.5.7.2."""

    status_code: UInt32
    error_code: UInt32
    code_page: UInt32
    property_values: OptionalList
    auxiliary: Auxiliary = b""


class GetSpecialTableRequest(Record):
    """2.2.5.8.1."""

    flags: UInt32
    state: State
    version: OptionalNumber
    auxiliary: Auxiliary = b""


class GetSpecialTableResponse(Record):
    """2.2.5.8.2."""

    status_code: UInt32
    error_code: UInt32
    code_page: UInt32
    version: OptionalNumber
    rows: Annotated[tuple[PropertyList, ...] | None, optional(Array(PROPERTY_LIST, 4, MAX_NAMES, 4))]
    auxiliary: Auxiliary = b""


class GetTemplateInfoRequest(Record):
    """2.2.5.9.1."""

    flags: UInt32
    display_type: UInt32
    template_dn: Annotated[str | None, optional(_ASCII)]
    code_page: UInt32
    locale_id: UInt32
    auxiliary: Auxiliary = b""


class GetTemplateInfoResponse(Record):
    """2.2.5.9.2."""

    status_code: UInt32
    error_code: UInt32
    code_page: UInt32
    row: OptionalList
    auxiliary: Auxiliary = b""


class ModLinkAttRequest(Record):
    """2.2.5.10.1. observed: each entry ID stands behind its size, in 4 bytes."""

    flags: UInt32
    property_tag: UInt32
    minimal_id: UInt32
    entry_ids: Annotated[
        tuple[bytes, ...] | None, optional(Array(CountedBytes(4, MAX_ENTRY_ID), 4, MAX_ENTRY_IDS, 4))
    ]
    auxiliary: Auxiliary = b""


class ModPropsRequest(Record):
    """2.2.5.11.1."""

    reserved: UInt32
    state: State
    property_tags: OptionalTags
    property_values: Annotated[tuple[TaggedValue, ...] | None, OPTIONAL_VALUES]
    auxiliary: Auxiliary = b""


class QueryRowsRequest(Record):
    """2.2.5.12.1."""

    flags: UInt32
    state: State
    explicit_table: Annotated[tuple[int, ...], MINIMAL_IDS]
    row_count: UInt32
    columns: OptionalTags
    auxiliary: Auxiliary = b""


class StateAndRowsResponse(Record):
    """The response of QueryRows and SeekEntries (2.2.5.12.2, 2.2.5.16.2)."""

    status_code: UInt32
    error_code: UInt32
    state: State
    rows: OptionalRows
    auxiliary: Auxiliary = b""


class QueryColumnsRequest(Record):
    """2.2.5.13.1."""

    reserved: UInt32
    mapi_flags: UInt32
    auxiliary: Auxiliary = b""


class QueryColumnsResponse(Record):
    """2.2.5.13.2."""

    status_code: UInt32
    error_code: UInt32
    columns: OptionalTags
    auxiliary: Auxiliary = b""


class ResolveNamesRequest(Record):
    """2.2.5.14.1."""

    reserved: UInt32
    state: State
    property_tags: OptionalTags
    names: Annotated[tuple[str, ...] | None, optional(Array(NUL_UTF16, 4, MAX_NAMES, 2))]
    auxiliary: Auxiliary = b""


class ResolveNamesResponse(Record):
    """2.2.5.14.2."""

    status_code: UInt32
    error_code: UInt32
    code_page: UInt32
    minimal_ids: OptionalIds
    rows: OptionalRows
    auxiliary: Auxiliary = b""


class ResortRestrictionRequest(Record):
    """2.2.5.15.1."""

    reserved: UInt32
    state: State
    minimal_ids: OptionalIds
    auxiliary: Auxiliary = b""


class ResortRestrictionResponse(Record):
    """2.2.5.15.2."""

    status_code: UInt32
    error_code: UInt32
    state: State
    minimal_ids: OptionalIds
    auxiliary: Auxiliary = b""


class SeekEntriesRequest(Record):
    """2.2.5.16.1."""

    reserved: UInt32
    state: State
    target: Annotated[Any, OPTIONAL_TARGET]
    explicit_table: OptionalIds
    columns: OptionalTags
    auxiliary: Auxiliary = b""


class UpdateStatRequest(Record):
    """2.2.5.17.1."""

    reserved: UInt32
    state: State
    delta_requested: UInt8
    auxiliary: Auxiliary = b""


class UpdateStatResponse(Record):
    """2.2.5.17.2."""

    status_code: UInt32
    error_code: UInt32
    state: State
    delta: Annotated[int | None, optional(I32)]
    auxiliary: Auxiliary = b""


class UrlRequest(Record):
    """2.2.5.18.1 (`dn` is the server's) and 2.2.5.19.1 (the user's)."""

    flags: UInt32
    dn: Utf16
    auxiliary: Auxiliary = b""


class UrlResponse(Record):
    """2.2.5.18.2, 2.2.5.19.2."""

    status_code: UInt32
    error_code: UInt32
    server_url: Utf16
    auxiliary: Auxiliary = b""
