"""What RopSynchronizationConfigure asks for: flags, restrictions, property lists; states; the hierarchy."""

import struct
from typing import Any

import pytest

from appliance.directory.model import Entry
from appliance.mapi import errors as ec
from appliance.mapi import restrictions as r
from appliance.mapi import tags
from appliance.mapi.idset import IdSet
from appliance.mapi.values import rop_form
from appliance.rop.fasttransfer.pen import SendOptions
from appliance.rop.ics.flags import SynchronizationExtraFlags as Extra
from appliance.rop.ics.flags import SynchronizationFlags as Flags
from appliance.rop.ops import fast_transfer_source_get_buffer as get_buffer
from appliance.rop.ops import synchronization_configure
from appliance.rop.ops import synchronization_upload_state_stream as state_stream
from appliance.store import folders
from appliance.store.contents import RowFlag
from appliance.store.kv import WriteTxn
from appliance.store.mailboxes import Special, changing
from tests.conftest import EPOCH
from tests.rop.fasttransfer.parsing import Parser, Sync
from tests.rop.ics.making import Maker
from tests.rop.ics.replica import (
    CONTENTS,
    DELETED,
    NO_LONGER,
    STATE,
    Replica,
    by_upload_tag,
    ids,
    open_,
    pull,
    transfer_state,
    upload_state,
    wire,
)
from tests.rop.kit import Client

RECIPIENTS, ATTACHMENTS = 0x0E12000D, 0x0E13000D


@pytest.fixture
def maker(client: Client, anna: Entry) -> Maker:
    return Maker(client.engine.store, anna)


@pytest.fixture
def replica(client: Client) -> Replica:
    return Replica(client, open_(client, client.logon(), Special.INBOX))


def unread() -> bytes:
    return r.pack(r.BitMask(False, tags.PidTagMessageFlags, 1), rop_form(1252))


@pytest.mark.covers(
    "MS-OXCFXICS_R2761", "MS-OXCFXICS_R3501", "MS-OXCFXICS_R2195", "MS-OXCFXICS_R2196", "MS-OXCFXICS_R2197",
    "MS-OXCFXICS_R2201", "MS-OXCFXICS_R2730", "MS-OXCFXICS_R716002", "MS-OXCFXICS_R718",
    "MS-OXCFXICS_R718001", "MS-OXCFXICS_R721", "MS-OXCFXICS_R1149", "MS-OXCFXICS_R1352",
    "MS-OXCFXICS_R1353", "MS-OXCFXICS_R1354", "MS-OXCFXICS_R1355", "MS-OXCFXICS_R1356", "MS-OXCFXICS_R1357",
    "MS-OXCFXICS_R1358", "MS-OXCFXICS_R1359", "MS-OXCFXICS_R1360", "MS-OXCFXICS_R1361", "MS-OXCFXICS_R1363",
    "MS-OXCFXICS_R1365", "MS-OXCFXICS_R1367", "MS-OXCFXICS_R1368", "MS-OXCFXICS_R3016", "MS-OXCFXICS_R3017",
    "MS-OXCFXICS_R3020", "MS-OXCFXICS_R1269", "MS-OXCFXICS_R3022", "MS-OXCFXICS_R1271", "MS-OXCFXICS_R3026",
    "MS-OXCFXICS_R1273", "MS-OXCFXICS_R62", "MS-OXCFXICS_R3027", "MS-OXCFXICS_R1274", "MS-OXCFXICS_R65",
    "MS-OXCFXICS_R66", "MS-OXCFXICS_R3047", "MS-OXCFXICS_R3048", "MS-OXCFXICS_R1284", "MS-OXCFXICS_R3049",
    "MS-OXCFXICS_R2027", "MS-OXCFXICS_R2077", "MS-OXCFXICS_R2078", "MS-OXCFXICS_R2079", "MS-OXCFXICS_R2080",
    "MS-OXCFXICS_R2081", "MS-OXCFXICS_R3786", "MS-OXCFXICS_R5368", "MS-OXCFXICS_R5369", "MS-OXCFXICS_R5686",
    "MS-OXCFXICS_R5687", "MS-OXCFXICS_R5699", "MS-OXCFXICS_R5700", "MS-OXCFXICS_R6783", "MS-OXCFXICS_R6784",
    "MS-OXCFXICS_R7001", "MS-OXCFXICS_R7002", "MS-OXCFXICS_R7035", "MS-OXCFXICS_R7036", "MS-OXCFXICS_R7518",
    "MS-OXCFXICS_R7519", "MS-OXCFXICS_R8582", "MS-OXCFXICS_R8583", "MS-OXCFXICS_R6925", "MS-OXCFXICS_R6926",
    "MS-OXCFXICS_R6994", "MS-OXCFXICS_R6995", "MS-OXCFXICS_R3051", "MS-OXCFXICS_R3052", "MS-OXCFXICS_R3053",
    "MS-OXCFXICS_R3054", "MS-OXCFXICS_R154", "MS-OXCFXICS_R156", "MS-OXCFXICS_R158", "MS-OXCFXICS_R159",
    "MS-OXCFXICS_R160", "MS-OXCFXICS_R166", "MS-OXCFXICS_R167", "MS-OXCFXICS_R168",
)  # fmt: skip
def test_headers_have_what_extra_flags_ask_for(replica: Replica, maker: Maker) -> None:
    row = maker.deliver("x", attachment=b"abc")
    fixed = [
        tags.PidTagSourceKey,
        tags.PidTagLastModificationTime,
        tags.PidTagChangeKey,
        tags.PidTagPredecessorChangeList,
        tags.PidTagAssociated,
    ]
    more = {
        Extra.NONE: [],
        Extra.EID: [tags.PidTagMid],
        Extra.MESSAGE_SIZE: [tags.PidTagMessageSize],
        Extra.CN: [tags.PidTagChangeNumber],
        Extra(0x10): [],
        Extra(0xFFFFFFF7): [tags.PidTagMid, tags.PidTagMessageSize, tags.PidTagChangeNumber],
    }
    for extra, expected in more.items():
        (item,) = replica.sync(extra=extra, apply=False).changes
        assert item.order == fixed + expected
        assert item.del_props == [RECIPIENTS, ATTACHMENTS]
    assert item.header[tags.PidTagMid] == wire(row.mid)
    assert item.header[tags.PidTagChangeNumber] == wire(row.cn)
    assert item.header[tags.PidTagMessageSize] == row.size
    assert item.header[tags.PidTagLastModificationTime] == row.modified
    guid = (maker.mailbox + 1000).to_bytes(16, "little")
    counter = (row.cn & (1 << 48) - 1).to_bytes(6, "big")
    assert item.header[tags.PidTagChangeKey] == guid + counter
    assert item.header[tags.PidTagPredecessorChangeList] == b"\x16" + guid + counter
    assert item.header[tags.PidTagSourceKey] == guid + (row.mid & (1 << 48) - 1).to_bytes(6, "big")
    assert not any(0x6600 <= tag >> 16 <= 0x67FF for tag in item.props if isinstance(tag, int))


@pytest.mark.covers(
    "MS-OXCFXICS_R2176", "MS-OXCFXICS_R2177", "MS-OXCFXICS_R2203", "MS-OXCFXICS_R2204", "MS-OXCFXICS_R2205",
    "MS-OXCFXICS_R2206", "MS-OXCFXICS_R2183001", "MS-OXCFXICS_R2183003", "MS-OXCFXICS_R218300301",
    "MS-OXCFXICS_R2183004", "MS-OXCFXICS_R21830041", "MS-OXCFXICS_R2183005", "MS-OXCFXICS_R21830051",
    "MS-OXCFXICS_R2183006", "MS-OXCFXICS_R21830061", "MS-OXCFXICS_R696", "MS-OXCFXICS_R708",
    "MS-OXCFXICS_R2642", "MS-OXCFXICS_R2645", "MS-OXCFXICS_R2646", "MS-OXCFXICS_R2647", "MS-OXCFXICS_R2648",
    "MS-OXCFXICS_R144", "MS-OXCFXICS_R145", "MS-OXCFXICS_R146", "MS-OXCFXICS_R147", "MS-OXCFXICS_R148",
    "MS-OXCFXICS_R149", "MS-OXCFXICS_R150", "MS-OXCFXICS_R151", "MS-OXCFXICS_R1141", "MS-OXCFXICS_R3304",
)  # fmt: skip
def test_property_lists(replica: Replica, maker: Maker) -> None:
    maker.deliver("mail", attachment=b"abc")
    maker.make("associated", associated=True)
    listed = (tags.PidTagSubject, RECIPIENTS)
    only = CONTENTS | Flags.ONLY_SPECIFIED_PROPERTIES
    fai, normal = replica.sync(only, tags=listed, apply=False).changes
    assert list(fai.props) == list(normal.props) == [tags.PidTagSubject]
    assert (len(normal.recipients), len(normal.attachments)) == (1, 0)
    assert normal.del_props == [RECIPIENTS]
    fai, normal = replica.sync(only | Flags.IGNORE_SPECIFIED_ON_FAI, tags=listed, apply=False).changes
    assert len(fai.props) > 1
    assert list(normal.props) == [tags.PidTagSubject]
    for flags in (CONTENTS, CONTENTS | Flags.IGNORE_SPECIFIED_ON_FAI):
        fai, normal = replica.sync(flags, tags=listed, apply=False).changes
        assert tags.PidTagSubject not in fai.props
        assert tags.PidTagSubject not in normal.props
        assert tags.PidTagMessageClass in normal.props
        assert (len(normal.recipients), len(normal.attachments)) == (0, 1)


@pytest.mark.covers(
    "MS-OXCFXICS_R2165", "MS-OXCFXICS_R2166", "MS-OXCFXICS_R2167", "MS-OXCFXICS_R2168", "MS-OXCFXICS_R2169",
    "MS-OXCFXICS_R680", "MS-OXCFXICS_R683", "MS-OXCFXICS_R2047", "MS-OXCFXICS_R1062", "MS-OXCFXICS_R75",
    "MS-OXCFXICS_R76", "MS-OXCFXICS_R133301", "MS-OXCFXICS_R1333", "MS-OXCFXICS_R1334", "MS-OXCFXICS_R1061",
)  # fmt: skip
def test_a_restriction_bounds_the_scope(replica: Replica, maker: Maker) -> None:
    first, second, third = (maker.deliver(f"m{number}") for number in range(3))
    maker.flag(third, RowFlag.SEEN)
    sync = replica.sync(restriction=unread())
    assert set(replica.messages) == {wire(first.mid), wire(second.mid)}
    maker.flag(first, RowFlag.SEEN)
    maker.flag(third, RowFlag.NONE)
    maker.delete(second)
    for flags in (Flags.IGNORE_NO_LONGER_IN_SCOPE, Flags.NO_DELETIONS):
        sync = replica.sync(CONTENTS | flags, restriction=unread(), apply=False)
        assert NO_LONGER not in (sync.deletions or {})
        assert (sync.deletions is None) is (flags is Flags.NO_DELETIONS)
    sync = replica.sync(restriction=unread())
    assert sync.deletions is not None
    assert ids(sync.deletions[NO_LONGER]) == {first.mid}
    assert ids(sync.deletions[DELETED]) == {second.mid}
    assert set(replica.messages) == {wire(third.mid)}


@pytest.mark.covers(
    "MS-OXCFXICS_R2170", "MS-OXCFXICS_R2171", "MS-OXCFXICS_R687", "MS-OXCFXICS_R1192", "MS-OXCFXICS_R1193",
    "MS-OXCFXICS_R2048",
)  # fmt: skip
def test_read_states_are_sent_when_asked_for(replica: Replica, maker: Maker) -> None:
    row = maker.deliver("x")
    replica.sync()
    maker.flag(row, RowFlag.SEEN)
    assert replica.sync(Flags.UNICODE | Flags.NORMAL | Flags.FAI, apply=False).reads is None
    sync = replica.sync()
    assert sync.reads is not None
    assert not sync.changes


@pytest.mark.covers(
    "MS-OXCFXICS_R2187", "MS-OXCFXICS_R2188", "MS-OXCFXICS_R711", "MS-OXCFXICS_R714", "MS-OXCFXICS_R224",
    "MS-OXCFXICS_R233", "MS-OXCFXICS_R2675", "MS-OXCFXICS_R3078", "MS-OXCFXICS_R220", "MS-OXCFXICS_R221",
    "MS-OXCFXICS_R222", "MS-OXCFXICS_R223", "MS-OXCFXICS_R226", "MS-OXCFXICS_R227", "MS-OXCFXICS_R228",
    "MS-OXCFXICS_R229", "MS-OXCFXICS_R230", "MS-OXCFXICS_R231", "MS-OXCFXICS_R232", "MS-OXCFXICS_R236",
    "MS-OXCFXICS_R237", "MS-OXCFXICS_R1170", "MS-OXCFXICS_R1171", "MS-OXCFXICS_R1172", "MS-OXCFXICS_R1376",
    "MS-OXCFXICS_R1377", "MS-OXCFXICS_R1378", "MS-OXCFXICS_R1379", "MS-OXCFXICS_R1380", "MS-OXCFXICS_R1381",
    "MS-OXCFXICS_R1382", "MS-OXCFXICS_R1383", "MS-OXCFXICS_R1385", "MS-OXCFXICS_R1174", "MS-OXCFXICS_R1176",
    "MS-OXCFXICS_R1177", "MS-OXCFXICS_R1178", "MS-OXCFXICS_R1179", "MS-OXCFXICS_R1180", "MS-OXCFXICS_R1386",
    "MS-OXCFXICS_R1387", "MS-OXCFXICS_R1388", "MS-OXCFXICS_R1390",
)  # fmt: skip
def test_progress(replica: Replica, maker: Maker) -> None:
    rows = [maker.deliver("a"), maker.deliver("b"), maker.make("fai", associated=True)]
    assert replica.sync(apply=False).total is None
    sync = replica.sync(CONTENTS | Flags.PROGRESS)
    assert sync.total is not None
    version, pad, fai, fai_size, normal, pad_4, size = struct.unpack("<HHIQIIQ", sync.total)
    assert (version, pad, fai, normal, pad_4) == (0, 0, 1, 2, 0)
    assert fai_size == rows[2].size
    assert size == rows[0].size + rows[1].size
    for item in sync.changes:
        assert item.progress is not None
        assert list(item.progress) == [0x00000003, 0x0000000B]
        assert item.progress[0x0000000B] is item.associated
        assert item.progress[0x00000003] == item.header[tags.PidTagMessageSize]


@pytest.mark.covers(
    "MS-OXCFXICS_R2198", "MS-OXCFXICS_R2199", "MS-OXCFXICS_R3502", "MS-OXCFXICS_R2200", "MS-OXCFXICS_R723",
)  # fmt: skip
def test_newest_first(replica: Replica, maker: Maker) -> None:
    rows = [maker.deliver(f"m{number}") for number in range(4)]
    sync = replica.sync(extra=Extra.EID | Extra.ORDER_BY_DELIVERY_TIME)
    assert [item.header[tags.PidTagMid] for item in sync.changes] == [wire(row.mid) for row in rows[::-1]]


@pytest.mark.covers(
    "MS-OXCFXICS_R2181", "MS-OXCFXICS_R3495", "MS-OXCFXICS_R2182", "MS-OXCFXICS_R705",
    "MS-OXCFXICS_R2182001", "MS-OXCFXICS_R3118001", "MS-OXCFXICS_R3118002", "MS-OXCFXICS_R2825",
    "MS-OXCFXICS_R2826",
)  # fmt: skip
def test_bodies(replica: Replica, maker: Maker) -> None:
    maker.deliver("x", html="<p>Hello</p>")
    maker.deliver("y", body="plain")
    for flags in (CONTENTS, CONTENTS | Flags.BEST_BODY):
        rich, plain = replica.sync(flags, apply=False).changes
        assert b"Hello" in rich.props[tags.PidTagHtml]
        assert tags.PidTagRtfCompressed not in rich.props
        assert plain.props[tags.PidTagBody].startswith("plain")


@pytest.mark.covers(
    "MS-OXCFXICS_R2162", "MS-OXCFXICS_R3493", "MS-OXCFXICS_R2163",
)  # fmt: skip
def test_strings_without_unicode(replica: Replica, maker: Maker) -> None:
    maker.make("Gr\u00fc\u00dfe")
    data = replica.stream(CONTENTS & ~Flags.UNICODE, options=SendOptions.NONE)
    assert "Gr\u00fc\u00dfe".encode("cp1252") in data
    (item,) = Parser(data).contents_sync().changes
    assert item.props[tags.PidTagSubject] == "Gr\u00fc\u00dfe"


@pytest.mark.covers(
    "MS-OXCFXICS_R2157", "MS-OXCFXICS_R2158", "MS-OXCFXICS_R2160", "MS-OXCFXICS_R2695", "MS-OXCFXICS_R2180",
    "MS-OXCFXICS_R2189", "MS-OXCFXICS_R3498",
)  # fmt: skip
@pytest.mark.parametrize(
    ("kind", "options", "flags", "restriction"),
    [
        (0, 1, CONTENTS, b""),
        (4, 1, CONTENTS, b""),
        (1, 0x81, CONTENTS, b""),
        (1, 1, CONTENTS | Flags.RESERVED, b""),
        (1, 1, Flags(0x0040), b""),
        (1, 1, Flags(0x0200), b""),
        (1, 1, CONTENTS, b"\xff"),
        (2, 1, Flags.UNICODE, b"\x08\x00\x00\x37\x00"),
    ],
)
def test_refused(replica: Replica, kind: int, options: int, flags: Flags, restriction: bytes) -> None:
    request = synchronization_configure.Request(
        kind, SendOptions(options), flags, restriction, Extra.NONE, ()
    )
    reply = replica.client.ask(synchronization_configure.ROP, request, on=replica.folder)
    assert reply.code == ec.ecInvalidParam
    assert reply.body is None


@pytest.mark.covers(
    "MS-OXCFXICS_R42001", "MS-OXCFXICS_R42002", "MS-OXCFXICS_R42201", "MS-OXCFXICS_R42202",
)  # fmt: skip
@pytest.mark.parametrize("options", [0x21, 0x41, 0x11])
def test_reserved_options_change_nothing(replica: Replica, maker: Maker, options: int) -> None:
    maker.deliver("x")
    assert replica.stream(options=SendOptions(options)) == replica.stream(options=SendOptions.UNICODE)


# -- states -----------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCROPS_2.2.13.8",
)
@pytest.mark.covers(
    "MS-OXCFXICS_R3504002", "MS-OXCFXICS_R3592", "MS-OXCFXICS_R3593", "MS-OXCFXICS_R2819",
    "MS-OXCFXICS_R3416", "MS-OXCFXICS_R3417", "MS-OXCFXICS_R348", "MS-OXCFXICS_R338", "MS-OXCFXICS_R758",
    "MS-OXCFXICS_R763", "MS-OXCFXICS_R764", "MS-OXCFXICS_R765", "MS-OXCFXICS_R766", "MS-OXCFXICS_R2214",
    "MS-OXCFXICS_R2215", "MS-OXCFXICS_R3503", "MS-OXCFXICS_R3504", "MS-OXCFXICS_R3506",
)  # fmt: skip
def test_the_state_is_the_initial_one_until_the_end(replica: Replica, client: Client, maker: Maker) -> None:
    maker.deliver("x", body="y" * 50_000)
    handle = replica.configure()
    upload_state(client, handle, replica.state)
    client.do(get_buffer.ROP, get_buffer.Request(20_000), on=handle)
    assert transfer_state(client, handle) == replica.state
    pull(client, handle)
    after = transfer_state(client, handle)
    assert after != replica.state
    maker.deliver("later")
    assert transfer_state(client, handle) == after


@pytest.mark.covers(
    "MS-OXCFXICS_R33541", "MS-OXCFXICS_R2656", "MS-OXCFXICS_R1881", "MS-OXCFXICS_R3354",
    "MS-OXCFXICS_R2665", "MS-OXCFXICS_R2066", "MS-OXCFXICS_R2067", "MS-OXCFXICS_R2068", "MS-OXCFXICS_R2065",
    "MS-OXCFXICS_R25", "MS-OXCFXICS_R3002", "MS-OXCFXICS_R1261", "MS-OXCFXICS_R1262", "MS-OXCFXICS_R28",
    "MS-OXCFXICS_R29", "MS-OXCFXICS_R30", "MS-OXCFXICS_R31", "MS-OXCFXICS_R3006", "MS-OXCFXICS_R3657",
    "MS-OXCFXICS_R3007", "MS-OXCFXICS_R3658", "MS-OXCFXICS_R34", "MS-OXCFXICS_R3009", "MS-OXCFXICS_R3659",
    "MS-OXCFXICS_R1264", "MS-OXCFXICS_R38", "MS-OXCFXICS_R38001", "MS-OXCFXICS_R1265", "MS-OXCFXICS_R3660",
    "MS-OXCFXICS_R3010", "MS-OXCFXICS_R3011", "MS-OXCFXICS_R3012", "MS-OXCFXICS_R3661", "MS-OXCFXICS_R3013",
    "MS-OXCFXICS_R42", "MS-OXCFXICS_R3014", "MS-OXCFXICS_R5000", "MS-OXCFXICS_R43", "MS-OXCFXICS_R1205",
    "MS-OXCFXICS_R1209", "MS-OXCFXICS_R1211", "MS-OXCFXICS_R1212", "MS-OXCFXICS_R174", "MS-OXCFXICS_R175",
    "MS-OXCFXICS_R3055", "MS-OXCFXICS_R178", "MS-OXCFXICS_R189", "MS-OXCFXICS_R190", "MS-OXCFXICS_R191",
    "MS-OXCFXICS_R3059", "MS-OXCFXICS_R3060", "MS-OXCFXICS_R3778", "MS-OXCFXICS_R3060001",
    "MS-OXCFXICS_R3061", "MS-OXCFXICS_R193", "MS-OXCFXICS_R194", "MS-OXCFXICS_R195",
)  # fmt: skip
def test_states_are_sets_by_guid(replica: Replica, maker: Maker) -> None:
    row, fai = maker.deliver("x"), maker.make("fai", associated=True)
    guid = (maker.mailbox + 1000).to_bytes(16, "little")
    state = {
        tag: IdSet.parse(data, by_guid=True) for tag, data in by_upload_tag(replica.sync().state).items()
    }
    assert list(state) == list(STATE)
    given, seen, seen_fai, read = (state[tag].get(guid) for tag in STATE)
    assert set(given) == {row.mid & (1 << 48) - 1, fai.mid & (1 << 48) - 1}
    for cns, cn in ((seen, row.cn), (seen_fai, fai.cn), (read, row.read_cn)):
        assert cn & (1 << 48) - 1 in cns
        assert len(cns.ranges) == 1


@pytest.mark.covers(
    "MS-OXCFXICS_R33551", "MS-OXCFXICS_R2657", "MS-OXCFXICS_R2658", "MS-OXCFXICS_R1882",
    "MS-OXCFXICS_R1883", "MS-OXCFXICS_R3355", "MS-OXCFXICS_R1879", "MS-OXCFXICS_R3352", "MS-OXCFXICS_R3359",
    "MS-OXCFXICS_R1884", "MS-OXCFXICS_R3415",
)  # fmt: skip
def test_given_is_taken_under_both_types(replica: Replica, client: Client, maker: Maker) -> None:
    row = maker.deliver("x")
    replica.sync()
    maker.delete(row)
    for tag in (0x40170003, 0x40170102):
        handle = replica.configure()
        upload_state(client, handle, {tag: replica.state[STATE[0]]})
        sync = Parser(pull(client, handle)).contents_sync()
        assert sync.deletions is not None
        assert ids(sync.deletions[DELETED]) == {row.mid}


def test_a_lost_state_brings_everything_again(replica: Replica, maker: Maker) -> None:
    maker.deliver("x")
    replica.sync()
    replica.state = dict.fromkeys(STATE, b"")
    assert len(replica.sync().changes) == 1


@pytest.mark.covers(
    "MS-OXCFXICS_R729", "MS-OXCFXICS_R736", "MS-OXCFXICS_R737", "MS-OXCFXICS_R3194", "MS-OXCFXICS_R747",
    "MS-OXCFXICS_R748", "MS-OXCFXICS_R751", "MS-OXCFXICS_R754", "MS-OXCFXICS_R755", "MS-OXCFXICS_R2207",
    "MS-OXCFXICS_R2208", "MS-OXCFXICS_R2209", "MS-OXCFXICS_R2210", "MS-OXCFXICS_R2211", "MS-OXCFXICS_R2212",
    "MS-OXCFXICS_R2213",
)  # fmt: skip
def test_malformed_states(replica: Replica, client: Client) -> None:
    handle = replica.configure()
    begin, go_on = state_stream.BeginRequest, state_stream.ContinueRequest
    assert client.ask(state_stream.CONTINUE, go_on(b"x"), on=handle).code == ec.ecNotInitialized
    assert client.ask(state_stream.END, on=handle).code == ec.ecNotInitialized
    assert client.ask(state_stream.BEGIN, begin(tags.PidTagSubject, 1), on=handle).code == ec.ecInvalidParam
    client.do(state_stream.BEGIN, begin(STATE[1], 3), on=handle)
    assert client.ask(state_stream.BEGIN, begin(STATE[1], 3), on=handle).code == ec.ecInvalidParam
    reply = client.ask(get_buffer.ROP, get_buffer.Request(0xBABE, 30000), on=handle)
    assert reply.code == ec.ecNotInitialized
    assert reply.body.transfer_status == get_buffer.TransferStatus.ERROR
    client.do(state_stream.CONTINUE, go_on(b"xyz"), on=handle)
    assert client.ask(state_stream.END, on=handle).code == ec.ecRpcFormat
    pull(client, handle)
    assert client.ask(state_stream.BEGIN, begin(STATE[1], 3), on=handle).code == ec.ecNotSupported


@pytest.mark.covers(
    "MS-OXCFXICS_R3335", "MS-OXCFXICS_R3336", "MS-OXCFXICS_R3337", "MS-OXCFXICS_R1858", "MS-OXCFXICS_R2064",
    "MS-OXCFXICS_R2073", "MS-OXCFXICS_R2074",
)  # fmt: skip
def test_a_message_that_goes_while_it_is_waited_for(replica: Replica, client: Client, maker: Maker) -> None:
    rows = [maker.deliver(f"m{number}", body="x" * 40_000) for number in range(3)]
    handle = replica.configure(extra=Extra.EID | Extra.ORDER_BY_DELIVERY_TIME)
    upload_state(client, handle, replica.state)
    start = client.do(get_buffer.ROP, get_buffer.Request(10_000), on=handle).body.transfer_buffer
    maker.delete(rows[0])
    changed = maker.change(rows[1], "changed")
    sync = Parser(start + pull(client, handle)).contents_sync()
    assert [item.header[tags.PidTagMid] for item in sync.changes] == [wire(rows[2].mid), wire(changed.mid)]
    replica.apply(sync)
    again = replica.sync()
    assert not again.changes
    assert again.deletions is None


# -- buffers ----------------------------------------------------------------------------------------------


@pytest.mark.covers(
    "MS-OXCFXICS_R2137", "MS-OXCFXICS_R2137001", "MS-OXCFXICS_R2138", "MS-OXCFXICS_R2141",
    "MS-OXCFXICS_R2141001", "MS-OXCFXICS_R2142", "MS-OXCFXICS_R2143", "MS-OXCFXICS_R3150001",
    "MS-OXCFXICS_R21370012", "MS-OXCFXICS_R5100",
)  # fmt: skip
def test_buffers_are_no_larger_than_asked_for(replica: Replica, client: Client, maker: Maker) -> None:
    maker.deliver("x", body="y" * 90_000)
    handle = replica.configure()
    body = client.do(get_buffer.ROP, get_buffer.Request(500), on=handle).body
    assert 0 < len(body.transfer_buffer) <= 500
    assert body.reserved == 0
    assert body.transfer_status == get_buffer.TransferStatus.PARTIAL
    body = client.do(get_buffer.ROP, get_buffer.Request(0xBABE, 700), on=handle).body
    assert 0 < len(body.transfer_buffer) <= 700
    body = client.do(get_buffer.ROP, get_buffer.Request(0xBABE, 0xFFFF), on=handle).body
    assert 20_000 < len(body.transfer_buffer) < 0x8000
    assert body.total_step_count == 1
    assert client.ask(get_buffer.ROP, get_buffer.Request(0xF000), on=handle).code == ec.ecBufferTooSmall


# -- hierarchy --------------------------------------------------------------------------------------------


@pytest.fixture
def tree(client: Client) -> Replica:
    return Replica(client, open_(client, client.logon(), Special.IPM_SUBTREE))


def hierarchy(tree: Replica, flags: Flags = Flags.UNICODE, **settings: Any) -> Sync:
    tree.state = {tag: tree.state.get(tag, b"") for tag in STATE[:2]}
    data = tree.stream(flags, kind=2, **settings)
    return Parser(data).hierarchy_sync()


@pytest.mark.covers(
    "MS-OXCFXICS_R2178", "MS-OXCFXICS_R2179", "MS-OXCFXICS_R2179001", "MS-OXCFXICS_R699",
    "MS-OXCFXICS_R716", "MS-OXCFXICS_R716001", "MS-OXCFXICS_R10970102", "MS-OXCFXICS_R2042",
    "MS-OXCFXICS_R3322", "MS-OXCFXICS_R2191", "MS-OXCFXICS_R3500", "MS-OXCFXICS_R1085", "MS-OXCFXICS_R1086",
    "MS-OXCFXICS_R1088", "MS-OXCFXICS_R1089", "MS-OXCFXICS_R1090", "MS-OXCFXICS_R1091", "MS-OXCFXICS_R1092",
    "MS-OXCFXICS_R1093", "MS-OXCFXICS_R1095", "MS-OXCFXICS_R1097", "MS-OXCFXICS_R109701",
    "MS-OXCFXICS_R1124", "MS-OXCFXICS_R1128", "MS-OXCFXICS_R1129", "MS-OXCFXICS_R1126", "MS-OXCFXICS_R1127",
    "MS-OXCFXICS_R3018", "MS-OXCFXICS_R3019", "MS-OXCFXICS_R3021", "MS-OXCFXICS_R1270", "MS-OXCFXICS_R3025",
    "MS-OXCFXICS_R1272", "MS-OXCFXICS_R6014", "MS-OXCFXICS_R6015", "MS-OXCFXICS_R6212", "MS-OXCFXICS_R6213",
    "MS-OXCFXICS_R7463", "MS-OXCFXICS_R7464", "MS-OXCFXICS_R7477", "MS-OXCFXICS_R7478",
)  # fmt: skip
def test_the_hierarchy(tree: Replica, maker: Maker) -> None:
    outer = maker.folder("Outer", container_class="IPF.Note")
    inner = maker.folder("Inner", outer)
    sync = hierarchy(tree, extra=Extra.EID)
    by_fid = {item.header[tags.PidTagFolderId]: item for item in sync.changes}
    first, second = by_fid[wire(outer)], by_fid[wire(inner)]
    assert first.order[:6] == [
        tags.PidTagParentSourceKey,
        tags.PidTagSourceKey,
        tags.PidTagLastModificationTime,
        tags.PidTagChangeKey,
        tags.PidTagPredecessorChangeList,
        tags.PidTagDisplayName,
    ]
    assert first.header[tags.PidTagParentSourceKey] == b""
    assert second.header[tags.PidTagParentSourceKey] == first.header[tags.PidTagSourceKey]
    assert second.header[tags.PidTagParentFolderId] == wire(outer)
    assert first.header[tags.PidTagContainerClass] == "IPF.Note"
    assert sync.changes.index(first) < sync.changes.index(second)
    assert list(by_upload_tag(sync.state)) == list(STATE[:2])
    plain = hierarchy(tree, extra=Extra.NONE).changes[0]
    assert tags.PidTagFolderId not in plain.header
    assert tags.PidTagParentFolderId not in plain.header
    plain = hierarchy(tree, Flags.UNICODE | Flags.NO_FOREIGN_IDENTIFIERS, extra=Extra.NONE).changes[0]
    assert tags.PidTagParentFolderId in plain.header


def test_changes_of_the_hierarchy(tree: Replica, maker: Maker) -> None:
    outer, other = maker.folder("Outer"), maker.folder("Other")
    tree.state = by_upload_tag(hierarchy(tree).state)
    again = hierarchy(tree)
    assert not again.changes
    assert again.deletions is None

    def change(txn: WriteTxn) -> None:
        with changing(txn, maker.mailbox) as clock:
            folders.move(txn, clock, outer, Special.IPM_SUBTREE, "Renamed", now=EPOCH)
            folders.remove(txn, clock, other)

    maker.store.write(change).result()
    for flags in (Flags.UNICODE | Flags.NO_DELETIONS, Flags.UNICODE):
        sync = hierarchy(tree, flags)
        assert [item.header[tags.PidTagDisplayName] for item in sync.changes] == ["Renamed"]
        assert (sync.deletions is None) is bool(flags & Flags.NO_DELETIONS)
    assert sync.deletions is not None
    assert ids(sync.deletions[DELETED]) == {other}
    tree.state = by_upload_tag(sync.state)
    assert not hierarchy(tree).changes
