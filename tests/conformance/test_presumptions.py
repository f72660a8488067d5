"""What clients in the field presume of a server beyond what the documents promise.

Handles: a client that never looks at the handle which its logon got, but puts the one there that Exchange
would have given, LogonId in the highest byte and a counter from zero below it.
"""

import struct

import pytest

from tests.conformance.client import NSPI
from tests.conformance.office import Person
from tests.conformance.store_rops import INBOX, NONE, Fields, logon, open_folder, read

LOGON_ID = 9


def test_handles_count_from_the_logon_id(anna: Person) -> None:
    with anna.mapi() as client:
        first = read(*client.execute(logon(anna.dn, logon_id=LOGON_ID), [NONE]))
        assert first.handles == [LOGON_ID << 24]
        inbox = Fields(first.fields.rest[1:]).numbers("13Q")[INBOX]
        for number in (1, 2):
            opened = read(*client.execute(open_folder(inbox, logon=LOGON_ID, hout=1), [LOGON_ID << 24, NONE]))
            assert (opened.value, opened.handles) == (0, [LOGON_ID << 24, LOGON_ID << 24 | number])


def test_two_logons_count_apart(anna: Person) -> None:
    with anna.mapi() as client:
        handles = [
            read(*client.execute(logon(anna.dn, logon_id=number), [NONE])).handles[0]
            for number in (1, 2, 255)
        ]
        assert handles == [1 << 24, 2 << 24, 255 << 24]


def test_no_handle_is_zero(anna: Person) -> None:
    with anna.mapi() as client:
        (handle,) = read(*client.execute(logon(anna.dn), [NONE])).handles
        assert handle not in (0, NONE)
        assert handle >> 24 == 0


@pytest.mark.parametrize("name", ["Bind", "BIND"])
def test_request_types_in_capitals(anna: Person, name: str) -> None:
    with anna.session(NSPI) as client:
        reply = client.exchange(name, struct.pack("<IBI", 0, 0, 0))
        assert (reply.status, reply.code, reply.body[:8]) == (200, 0, bytes(8))
