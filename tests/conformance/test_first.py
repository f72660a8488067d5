"""The first steps of every client: connect, log on, leave."""

import struct

import pytest

from tests.conformance.client import Mapi
from tests.conformance.office import Person

NONE = 0xFFFFFFFF


def logon(dn: str) -> bytes:
    """RopLogon of a private mailbox. MS-OXCROPS 2.2.3.1.1."""
    essdn = dn.encode("ascii") + b"\0"
    return struct.pack("<BBBBIIH", 0xFE, 0, 0, 0x01, 0x01000000, 0, len(essdn)) + essdn


@pytest.mark.covers("MS-OXCMAPIHTTP_R209", "MS-OXCMAPIHTTP_R1349", "MS-OXCMAPIHTTP_R1221")
def test_connect_log_on_and_disconnect(mapi: Mapi, anna: Person) -> None:
    responses, handles = mapi.execute(logon(anna.dn), [NONE])
    assert struct.unpack_from("<BBIB", responses) == (0xFE, 0, 0, 0x01)
    assert len(responses) == 7 + 13 * 8 + 1 + 16 + 2 + 16 + 8 + 8 + 4
    assert len(handles) == 1
    assert handles[0] != NONE
    left = mapi.disconnect()
    assert (left.code, left.body) == (0, bytes(12))
