"""Sessions of MAPI over HTTP that wait for notifications: what each costs, how soon all hear of a message.

There is no peer: `peer` is the limit that we set ourselves, and the ratio is limit / ours. Memory is RssAnon
beyond that of as many idle connections.
"""

import contextlib
import http.client
import socket
import tempfile
import time
from pathlib import Path

from appliance.directory import entries
from appliance.rop.notify.data import Type
from appliance.rop.ops import register_notification
from appliance.store.store import Store
from tests.bench import Row
from tests.mapiclient import MapiClient, Poll
from tests.served import PASSWORD, PEOPLE, Served, address, make_office

SESSIONS = 200
EACH_LIMIT = 40.0
"""KiB that a waiting session may take beyond its connection."""

NEWS_LIMIT = 1.0
"""Seconds until the last of them has its answer."""

MAIL = b"From: a@b.example\r\nSubject: news\r\n\r\nbody\r\n"


def legacy_dns(data: Path) -> dict[str, str]:
    """The distinguished names of PEOPLE."""
    store = Store.open(data)
    with store.read() as txn:
        found = {who: entries.by_address(txn, address(who)) for who in PEOPLE}
    store.close()
    return {who: entry.legacy_dn for who, entry in found.items() if entry is not None}


def connections(server: Served, stack: contextlib.ExitStack) -> list[socket.socket]:
    """As many connections as there will be sessions, each with one request behind it."""
    made = []
    for _ in range(SESSIONS):
        one = stack.enter_context(
            contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.offset + 80))
        )
        one.request("GET", "/healthz")
        one.getresponse().read()
        made.append(one.sock)
    return made


def waiting(
    server: Served, names: dict[str, str], stack: contextlib.ExitStack, count: int = SESSIONS
) -> list[Poll]:
    """Sessions that watch a whole mailbox, in polls."""
    request = register_notification.Request(Type.NEW_MAIL, None, True)
    polls = []
    for number in range(count):
        who = PEOPLE[number % len(PEOPLE)]
        client = MapiClient(server.offset + 80, address(who), PASSWORD)
        client.connect(names[who])
        client.do(register_notification.ROP, request, on=client.logon())
        polls.append(client.poll())
        client.close()
        stack.callback(polls[-1].wire.close)
    return polls


def settle(server: Served) -> int:
    """RssAnon once it stands still."""
    seen = [server.rss_anon()]
    while len(seen) < 4 or max(seen[-3:]) != min(seen[-3:]):
        time.sleep(0.2)
        seen.append(server.rss_anon())
    return seen[-1]


def run() -> list[Row]:
    """One row for memory, one for time."""
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as name:
        data = make_office(Path(name) / "data")
        names = legacy_dns(data)
        with Served(data) as server, contextlib.ExitStack() as stack:
            waiting(server, names, stack, len(PEOPLE))  # what is made once is there now
            idle = settle(server)
            connections(server, stack)
            connected = settle(server)
            polls = waiting(server, names, stack)
            used = (settle(server) - connected) - (connected - idle)
            each = max(used, 0) / SESSIONS / 1024
            started = time.monotonic()
            with server.smtp() as smtp:
                smtp.sendmail("a@b.example", [address(who) for who in PEOPLE], MAIL)
            pending = [poll.end().event_pending for poll in polls]
            late = time.monotonic() - started
            assert pending == [1] * SESSIONS
    return [
        Row(
            f"{SESSIONS} waiting sessions, KiB each beyond the connection",
            each,
            EACH_LIMIT,
            EACH_LIMIT / max(each, 0.01),
            1.0,
        ),
        Row("a message until the last of them knows, s", late, NEWS_LIMIT, NEWS_LIMIT / late, 1.0),
    ]
