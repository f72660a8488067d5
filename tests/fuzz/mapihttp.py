"""Fuzz targets of MAPI over HTTP: bodies, extended buffers, auxiliary blocks, headers."""

from collections.abc import Callable

from appliance.addressbook.stat import Stat
from appliance.mapi import tags
from appliance.mapi.restrictions import And, Content, Exist, Fuzzy, FuzzyFlags, Not
from appliance.protocols.mapihttp import headers
from appliance.protocols.mapihttp.bodies import emsmdb, nspi
from appliance.protocols.mapihttp.bodies.emsmdb import ExecuteFlags
from appliance.protocols.mapihttp.bodies.values import PropertyList, RowSet
from appliance.rop import auxiliary, buffers
from appliance.rop.auxiliary import Block, PerfClientInfo, Type
from appliance.rop.buffers import Wrapping
from appliance.wire.record import Record
from tests.fuzz.runner import Target

_NAME = tags.PidTagDisplayName
_FILTER = And((Content(Fuzzy.PREFIX, FuzzyFlags.IGNORE_CASE, _NAME, _NAME, "b"), Not(Exist(_NAME))))
_TAGS = (_NAME, 0x3001001E, 0x80000000, 0x800F101F, 0x0FFF0102)
_ROWS = RowSet((_NAME, tags.PidTagObjectType), (("Anna", 6), ("Ben", 8)))
_LIST = PropertyList(((_NAME, "Anna"), (tags.PidTagObjectType, 6), (0x800F101F, ("a", "b"))))

SAMPLES: tuple[Record, ...] = (
    emsmdb.ConnectRequest("/o=x/cn=anna", 0, 1252, 1033, 1033, b"12345678"),
    emsmdb.ConnectResponse(0, 0, 60000, 6, 10000, "", "Anna", b"12345678"),
    emsmdb.ExecuteRequest(ExecuteFlags.CHAIN, b"12345678", 0x8000),
    emsmdb.ExecuteResponse(0, 0, 0, b"12345678"),
    emsmdb.DisconnectRequest(),
    emsmdb.NotificationWaitRequest(0),
    emsmdb.NotificationWaitResponse(0, 0, 1),
    nspi.BindRequest(0, Stat()),
    nspi.BindResponse(0, 0, bytes(16)),
    nspi.CompareMinIdsRequest(0, Stat(), 16, 17),
    nspi.DnToMinIdRequest(0, ("/o=x/cn=anna", "/o=x")),
    nspi.DnToMinIdResponse(0, 0, (16, 0)),
    nspi.GetMatchesRequest(0, Stat(), (1,), 0, _FILTER, None, 5, _TAGS),
    nspi.GetMatchesRequest(0, None, None, 0, None, nspi.PropertyNameId(bytes(16), 0x8001), 5, None),
    nspi.GetMatchesResponse(0, 0, Stat(), (16,), _ROWS),
    nspi.GetPropListRequest(0, 16, 1252),
    nspi.GetPropListResponse(0, 0, _TAGS),
    nspi.GetPropsRequest(0, Stat(code_page=1200), _TAGS),
    nspi.GetPropsResponse(0, 0, 1252, _LIST),
    nspi.GetSpecialTableRequest(4, Stat(), 1),
    nspi.GetSpecialTableResponse(0, 0, 1252, 1, (_LIST, _LIST)),
    nspi.GetTemplateInfoRequest(1, 0, "/cn=x", 1252, 1033),
    nspi.GetTemplateInfoResponse(0, 0, 1252, _LIST),
    nspi.ModLinkAttRequest(0, 0x8009000D, 16, (b"one", b"two")),
    nspi.ModPropsRequest(0, Stat(), _TAGS, ((0x3A701102, (b"x", b"y")), (_NAME, "z"))),
    nspi.QueryRowsRequest(0, Stat(), (16, 17), 50, _TAGS),
    nspi.StateAndRowsResponse(0, 0, Stat(), _ROWS),
    nspi.QueryColumnsRequest(0, 0),
    nspi.ResolveNamesRequest(0, Stat(), _TAGS, ("anna", "ben")),
    nspi.ResolveNamesResponse(0, 0, 1252, (2, 0), _ROWS),
    nspi.ResortRestrictionRequest(0, Stat(), (16, 17)),
    nspi.ResortRestrictionResponse(0, 0, Stat(), (16,)),
    nspi.SeekEntriesRequest(0, Stat(), (_NAME, "b"), (16,), _TAGS),
    nspi.UpdateStatRequest(0, Stat(), 1),
    nspi.UpdateStatResponse(0, 0, Stat(), -1),
    nspi.UrlRequest(0, "/cn=x"),
    nspi.UrlResponse(0, 0, "https://x"),
)
"""One of each kind of body at least."""


def _stable(sample: Record) -> Callable[[bytes], None]:
    kind = type(sample)

    def run(data: bytes) -> None:
        again = kind.parse(data).pack()
        assert kind.parse(again).pack() == again

    return run


def every_body(data: bytes) -> None:
    """The first byte chooses the kind of body; what is accepted has a form of its own."""
    if data:
        _stable(SAMPLES[data[0] % len(SAMPLES)])(data[1:])


def extended(data: bytes) -> None:
    """Payloads that are accepted are the same after packing them again, in every way."""
    payloads = buffers.unpack(data)
    for wrapping in (Wrapping.PLAIN, Wrapping.COMPRESS, Wrapping.COMPRESS | Wrapping.OBFUSCATE):
        assert buffers.unpack(buffers.pack(payloads, wrapping)) == payloads


def told(data: bytes) -> None:
    """What a client tells of itself is never an error once it is an extended buffer."""
    auxiliary.facts(buffers.pack([data[: buffers.MAX_PAYLOAD]]))
    blocks = auxiliary.split(data)
    assert auxiliary.join(blocks) == data


def head(data: bytes) -> None:
    """Cookies and versions are read from any text."""
    text = data.decode("latin-1")
    for name, value in headers.cookies([text]).items():
        assert ";" not in name + value
    assert all(part >= 0 for part in headers.client_version(text))
    headers.media_type(text)


def _bodies() -> list[bytes]:
    return [bytes([number]) + sample.pack() for number, sample in enumerate(SAMPLES)]


def _extended() -> list[bytes]:
    text = b"the same again and " * 60
    return [buffers.pack([text, b"x"], wrapping) for wrapping in (Wrapping(0), Wrapping(1), Wrapping(2))]


def _told() -> list[bytes]:
    info = PerfClientInfo(1, 2, 32, 0, 0, 0, 0, 0, 0, 0, 0, 2).pack() + "PC\0".encode("utf-16-le")
    blocks = [Block(Type.PERF_CLIENTINFO, info), *auxiliary.topology("x", public_folders=True)]
    return [auxiliary.join(blocks)]


def _heads() -> list[bytes]:
    return [b"MapiContext=abc; MapiSequence=1-x==", b"Outlook/16.0.4266.1001", b"application/mapi-http; q=1"]


MAPIHTTP_TARGETS = (
    Target("mapihttp-bodies", every_body, _bodies),
    Target("extended-buffers", extended, _extended),
    Target("auxiliary-blocks", told, _told),
    Target("mapihttp-headers", head, _heads),
)
