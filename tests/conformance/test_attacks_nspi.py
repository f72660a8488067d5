"""A client that means ill, at the address book: bodies cut off, counts and sizes that lie, depth, noise.

The book of these tests is that of the office: everybody in it is somebody else's test.
"""

import random
import struct

import pytest

from tests.conformance.attacks import attack
from tests.conformance.client import NSPI, Mapi
from tests.conformance.nspi import (
    CURRENT,
    DISPLAY_NAME,
    Stat,
    bind,
    content,
    dn_to_id,
    get_matches,
    get_prop_list,
    get_props,
    mod_link,
    mod_props,
    negated,
    query_rows,
    resolve_names,
    resort,
    seek,
    special_table,
    state,
    tagged,
    template_info,
    u32,
    update_stat,
)
from tests.conformance.office import Office, Person

pytestmark = pytest.mark.usefixtures("unharmed")

INVALID_BODY = 12
MEMBERS = 0x8009000D
FULL = (0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


@pytest.fixture
def nspi(anna: Person) -> Mapi:
    """A bound client."""
    client = anna.session(NSPI)
    assert client.post("Bind", bind(Stat())).code == 0
    return client


def error_of(client: Mapi, kind: str, body: bytes) -> int:
    """The X-ResponseCode, or else the error of the method; the answer is of a bounded size."""
    reply = attack(client, body, kind)
    assert len(reply.body) < 16 << 20
    if reply.code:
        return reply.code
    status, error = struct.unpack_from("<II", reply.body)
    return status or error


def still_works(client: Mapi) -> None:
    """The session goes on."""
    assert error_of(client, "QueryRows", query_rows(Stat(), columns=[DISPLAY_NAME], rows=1)) == 0


BODIES = {
    "GetMatches": get_matches(Stat(), content(DISPLAY_NAME, "A"), columns=[DISPLAY_NAME], name=bytes(20)),
    "DNToMId": dn_to_id(["/o=a/cn=b", "/o=c"]),
    "GetProps": get_props(Stat(), [DISPLAY_NAME, MEMBERS]),
    "GetPropList": get_prop_list(CURRENT),
    "GetSpecialTable": special_table(version=1),
    "GetTemplateInfo": template_info(0, dn="/cn=x"),
    "ModLinkAtt": mod_link(MEMBERS, CURRENT, [b"12345678"]),
    "ModProps": mod_props(Stat(current=CURRENT), [DISPLAY_NAME], u32(1) + tagged(DISPLAY_NAME, "x")),
    "QueryRows": query_rows(Stat(), columns=[DISPLAY_NAME], ids=[16, 17]),
    "ResolveNames": resolve_names(Stat(), ["a", "b"], [DISPLAY_NAME]),
    "ResortRestriction": resort(Stat(), [16]),
    "SeekEntries": seek(Stat(), tagged(DISPLAY_NAME, "A"), ids=[16], columns=[DISPLAY_NAME]),
    "UpdateStat": update_stat(Stat()),
}


@pytest.mark.parametrize("kind", BODIES)
def test_cut_off_at_every_byte(nspi: Mapi, kind: str) -> None:
    """Only the auxiliary buffer's size, which is zero, may be missing in an answer without error."""
    whole = BODIES[kind]
    for size in range(len(whole) - 4):
        assert error_of(nspi, kind, whole[:size]) != 0, size
    still_works(nspi)


@pytest.mark.parametrize("kind", BODIES)
def test_every_byte_turned_over(nspi: Mapi, kind: str) -> None:
    whole = BODIES[kind]
    for at in range(len(whole)):
        attack(nspi, whole[:at] + bytes((whole[at] ^ 0xFF,)) + whole[at + 1 :], kind)
    still_works(nspi)


@pytest.mark.parametrize("many", FULL)
def test_counts_that_lie(nspi: Mapi, many: int) -> None:
    head = u32(0) + state(Stat())
    stretched = {
        "DNToMId": u32(0) + b"\xff" + u32(many) + b"/o=x\0" * 3,
        "GetProps": head + b"\xff" + u32(many) + u32(DISPLAY_NAME),
        "QueryRows": head + u32(many) + u32(16),
        "ResolveNames": head + b"\0\xff" + u32(many) + b"a\0\0\0",
        "ResortRestriction": head + b"\xff" + u32(many) + u32(16),
        "ModLinkAtt": u32(0) + u32(MEMBERS) + u32(CURRENT) + b"\xff" + u32(many) + u32(many),
        "ModProps": head + b"\0\xff" + u32(many) + tagged(DISPLAY_NAME, "x"),
        "GetMatches": head + b"\0" + u32(0) + b"\xff\x00" + u32(many) + b"\x08" + u32(DISPLAY_NAME),
        "SeekEntries": head + b"\xff" + u32(0x80091102) + b"\xff" + u32(many) + b"\xff" + u32(many),
    }
    for kind, body in stretched.items():
        assert error_of(nspi, kind, body + u32(0) * 4) == INVALID_BODY, kind
    still_works(nspi)


@pytest.mark.parametrize("many", FULL)
def test_as_many_rows_as_a_number_holds(nspi: Mapi, many: int) -> None:
    """What is asked for is not what is made room for."""
    for columns in (None, [DISPLAY_NAME] * 2000):
        attack(nspi, query_rows(Stat(), columns=columns, rows=many), "QueryRows")
        attack(nspi, get_matches(Stat(), content(DISPLAY_NAME, ""), columns=columns, rows=many), "GetMatches")
    still_works(nspi)


def test_big_lists(office: Office, nspi: Mapi) -> None:
    """Ids, names and tags by the thousand: in bounded time, whatever the names may mean."""
    ids = list(range(0x10, 0x10 + 60_000))
    word = "person"
    starts = [f"{word[:a]} {word[:b]} {word[:c]}" for a in range(1, 7) for b in range(1, 7) for c in range(7)]
    used = office.served.cpu()
    for kind, body in (
        ("QueryRows", query_rows(Stat(), columns=[DISPLAY_NAME], ids=ids, rows=0xFFFF)),
        ("QueryRows", query_rows(Stat(), columns=[DISPLAY_NAME], ids=[0x10] * 60_000, rows=0xFFFFFFFF)),
        ("ResortRestriction", resort(Stat(), [0x10] * 60_000)),
        ("GetMatches", get_matches(Stat(), content(DISPLAY_NAME, "p"), columns=[DISPLAY_NAME], ids=ids)),
        ("ResolveNames", resolve_names(Stat(), ["person"] * 9000, [DISPLAY_NAME])),
        (
            "ResolveNames",
            resolve_names(Stat(), [f"{text} {tail}" for text in starts for tail in starts[:30]]),
        ),
        ("DNToMId", dn_to_id(["/o=" + "x" * 100] * 9000)),
        ("GetProps", get_props(Stat(), [DISPLAY_NAME] * 60_000)),
    ):
        attack(nspi, body, kind)
    assert office.served.cpu() - used < 15
    still_works(nspi)


@pytest.mark.parametrize("depth", [50, 500, 20_000])
def test_deep_restrictions(nspi: Mapi, depth: int) -> None:
    bottom = content(DISPLAY_NAME, "p")
    for layer in (
        b"\x00" + u32(1),
        b"\x01" + u32(1),
        b"\x02",
        b"\x09" + u32(MEMBERS),
        b"\x0a\0",
        b"\x0b" + u32(1),
    ):
        attack(nspi, get_matches(Stat(), layer * depth + bottom, columns=[DISPLAY_NAME]), "GetMatches")
    broad = b"\x01" + u32(depth) + bottom * depth
    attack(nspi, get_matches(Stat(), broad, columns=[DISPLAY_NAME]), "GetMatches")
    attack(nspi, get_matches(Stat(), negated(broad), columns=[DISPLAY_NAME]), "GetMatches")
    still_works(nspi)


def test_strings_without_an_end(nspi: Mapi) -> None:
    head = u32(0) + state(Stat())
    for kind, body in (
        ("DNToMId", u32(0) + b"\xff" + u32(1) + b"/o=" + b"x" * 100_000),
        ("ResolveNames", head + b"\0\xff" + u32(1) + b"x\0" * 100_000),
        ("GetTemplateInfo", u32(1) + u32(0) + b"\xff" + b"x" * 100_000),
        ("SeekEntries", head + b"\xff" + u32(DISPLAY_NAME) + b"\xff" + b"x\0" * 100_000),
        ("GetMailboxUrl", u32(0) + b"x\0" * 100_000),
    ):
        assert error_of(nspi, kind, body) == INVALID_BODY, kind
    still_works(nspi)


@pytest.mark.parametrize(
    "stat",
    [
        Stat(sort=0xFFFFFFFF),
        Stat(container=0xFFFFFFFF),
        Stat(current=0xFFFFFFFF),
        Stat(delta=-0x80000000),
        Stat(delta=0x7FFFFFFF),
        Stat(position=0xFFFFFFFF, total=0),
        Stat(current=1, position=0xFFFFFFFF, total=1),
        Stat(current=1, position=7, total=0),
        Stat(code_page=0xFFFFFFFF),
        Stat(sort_locale=0xFFFFFFFF, template_locale=0xFFFFFFFF),
    ],
    ids=str,
)
def test_positions_of_no_sense(nspi: Mapi, stat: Stat) -> None:
    for kind, body in (
        ("UpdateStat", update_stat(stat)),
        ("QueryRows", query_rows(stat, columns=[DISPLAY_NAME])),
        ("SeekEntries", seek(stat, tagged(DISPLAY_NAME, "P"))),
        ("GetMatches", get_matches(stat, content(DISPLAY_NAME, "p"))),
        ("ResolveNames", resolve_names(stat, ["p"])),
        ("GetProps", get_props(stat, [DISPLAY_NAME])),
        ("GetSpecialTable", special_table(stat)),
    ):
        attack(nspi, body, kind)
    still_works(nspi)


def test_somebody_elses_entry_stays(office: Office, nspi: Mapi, ben: Person) -> None:
    """Nothing of what is not one's own can be written, whatever the ids say."""
    columns = [DISPLAY_NAME, 0x3A08001F, 0x39FE001F]
    reply = attack(nspi, get_matches(Stat(), content(0x39FE001F, ben.address), columns=columns), "GetMatches")
    before = reply.body[reply.body.find(ben.name.encode("utf-16-le")) :]
    for current in (*range(0x10, 0x80), 0, 1, 2, 0xFFFFFFFF):
        values = u32(1) + tagged(DISPLAY_NAME, "Owned")
        assert error_of(nspi, "ModProps", mod_props(Stat(current=current), None, values)) != 0
        assert error_of(nspi, "ModLinkAtt", mod_link(MEMBERS, current, [bytes(32)])) != 0
    reply = attack(nspi, get_matches(Stat(), content(0x39FE001F, ben.address), columns=columns), "GetMatches")
    assert reply.body[reply.body.find(ben.name.encode("utf-16-le")) :] == before
    assert "Owned".encode("utf-16-le") not in reply.body


def test_mutations(nspi: Mapi) -> None:
    noise = random.Random(0x0A5B)
    for _ in range(400):
        kind = noise.choice(tuple(BODIES))
        data = bytearray(BODIES[kind])
        for _ in range(noise.choice((1, 2, 8))):
            at = noise.randrange(len(data))
            data[at : at + noise.choice((0, 1, 4))] = noise.choice(
                (noise.randbytes(4), b"", b"\xff\xff\xff\xff", b"\0\0\0\0", u32(1 << 31))
            )
        attack(nspi, bytes(data), kind)
    still_works(nspi)
