"""Entry IDs of every kind, both ways."""

from uuid import UUID

import pytest
from hypothesis import strategies as st

from appliance.mapi import entryids as e
from appliance.mapi.ids import LongTermId
from appliance.wire.errors import DecodeError, EncodeError
from tests.kit import Codec, Vector, codec_tests
from tests.mapi.strategies import blobs, guids, texts

GUID = bytes(range(16))
LONG_TERM = st.builds(LongTermId, guids, st.integers(0, 2**48 - 1))
ASCII = st.text(st.characters(codec="ascii", min_codepoint=1), max_size=20)
FOLDERS = st.sampled_from(sorted(e.FOLDER_TYPES))
MESSAGES = st.sampled_from(sorted(set(e.ObjectType) - e.FOLDER_TYPES))
PROVIDERS = guids.filter(lambda guid: guid not in e._PARSERS)

VALUES = st.one_of(
    st.builds(e.FolderEntryId, PROVIDERS, FOLDERS, LONG_TERM),
    st.builds(e.MessageEntryId, PROVIDERS, MESSAGES, LONG_TERM, LONG_TERM),
    st.builds(e.StoreEntryId, ASCII, ASCII, st.just(False), st.none() | ASCII, st.just("host.example")),
    st.builds(e.StoreEntryId, ASCII, st.just(""), st.just(True)),
    st.builds(e.OneOffEntryId, texts, texts, texts),
    st.builds(e.PermanentEntryId, ASCII, st.sampled_from(e.AddressBookType)),
    st.builds(e.EphemeralEntryId, guids, st.integers(0, 2**32 - 1), st.sampled_from(e.AddressBookType)),
    st.builds(e.ContactEntryId, blobs, st.sampled_from([0, 1, 2, 3, 4, 5, e.LIST_INDEX])),
    st.builds(e.WrappedEntryId, st.integers(0, 255), blobs),
)


def _same(left: object, right: object) -> bool:
    if isinstance(left, e.StoreEntryId) and isinstance(right, e.StoreEntryId):
        return left.pack() == right.pack()
    return left == right


TestEntryIds = codec_tests(
    Codec(
        decode=e.parse,
        encode=lambda value: bytes(20) if value is None else value.pack(),
        values=VALUES,
        prefix_is_legal=True,  # a prefix of an object's id is an unknown id
        same=_same,
        vectors=[
            Vector(
                "folder",
                bytes(4) + GUID + bytes.fromhex("0100") + b"\1" * 16 + bytes.fromhex("00000000002a 0000"),
                e.FolderEntryId(GUID, e.ObjectType.PRIVATE_FOLDER, LongTermId(b"\1" * 16, 42)),
            ),
            Vector(
                "one-off, Unicode",
                bytes.fromhex(
                    "00000000 812b1fa4bea310199d6e00dd010f5402 0000 0190"
                    "61000000 53004d00540050000000 62000000"
                ),
                e.OneOffEntryId(
                    "a",
                    "SMTP",
                    "b",
                    e.OneOffFlags.UNICODE | e.OneOffFlags.NO_RICH_INFO | e.OneOffFlags.DONT_LOOK_UP,
                ),
            ),
            Vector(
                "one-off in a code page",
                bytes.fromhex("00000000 812b1fa4bea310199d6e00dd010f5402 0000 0000 e900 5800 6200"),
                e.OneOffEntryId("é", "X", "b", e.OneOffFlags(0)),
            ),
            Vector(
                "address book",
                bytes.fromhex("00000000 dca740c8c042101ab4b908002b2fe182 01000000 00000000 2f6f3d6100"),
                e.PermanentEntryId("/o=a"),
            ),
            Vector(
                "ephemeral",
                bytes.fromhex("87000000") + GUID + bytes.fromhex("01000000 01000000 10000000"),
                e.EphemeralEntryId(GUID, 16, e.AddressBookType.DISTRIBUTION_LIST),
            ),
            Vector(
                "personal distribution list",
                bytes.fromhex(
                    "00000000 fe42aa0a18c71a10e8850b651c240000 03000000 05000000 ff000000 01000000 aa"
                ),
                e.ContactEntryId(b"\xaa", e.LIST_INDEX),
            ),
            Vector(
                "mailbox store",
                bytes.fromhex("00000000 38a1bb1005e5101aa1bb08002b2a56c2 0000 454d534d44422e444c4c00000000")
                + bytes.fromhex("00000000 1b55fa20aa6611cd9bc800aa002fc45a 0c000000 7300 2f6f3d6100"),
                e.StoreEntryId("s", "/o=a"),
            ),
            Vector(
                "public store",
                bytes.fromhex("00000000 38a1bb1005e5101aa1bb08002b2a56c2 0000 454d534d44422e444c4c00000000")
                + bytes.fromhex("00000000 1c830210aa6611cd9bc800aa002fc45a 06000000 7300"),
                e.StoreEntryId("s", public=True),
            ),
        ],
    )
)


def test_providers_are_the_published_ones() -> None:
    assert UUID(bytes_le=e.MUIDEMSAB) == UUID("c840a7dc-42c0-1a10-b4b9-08002b2fe182")
    assert UUID(bytes_le=e.ONE_OFF_PROVIDER) == UUID("a41f2b81-a3be-1910-9d6e-00dd010f5402")
    assert UUID(bytes_le=e.WRAPPED_PROVIDER) == UUID("d3ad91c0-9d51-11cf-a4a9-00aa0047faa4")


def test_unknown_providers_are_not_errors() -> None:
    assert e.parse(bytes(4) + GUID + b"anything") is None
    assert e.parse(b"\x01" + bytes(45)) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(19),
        bytes(4) + e.MUIDEMSAB + bytes(8),
        bytes(4) + e.MUIDEMSAB + bytes.fromhex("01000000 00000000 61"),
        bytes(4) + e.ONE_OFF_PROVIDER + bytes.fromhex("0100 0000"),
        bytes(4) + e.CONTACT_PROVIDER + bytes.fromhex("03000000 05000000 00000000 00000000"),
        bytes(4) + e.STORE_PROVIDER + bytes(36),
        b"\x87" + bytes(31),
    ],
)
def test_known_layouts_that_are_broken(data: bytes) -> None:
    with pytest.raises(DecodeError):
        e.parse(data)


def test_what_cannot_be_built() -> None:
    for broken in (
        e.FolderEntryId(b"x", e.ObjectType.PUBLIC_FOLDER, LongTermId(GUID, 1)),
        e.PermanentEntryId("é"),
    ):
        with pytest.raises(EncodeError):
            broken.pack()
