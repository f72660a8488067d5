"""The queue runner as background work of the process."""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path

from appliance.net.parts import Parts
from appliance.store.keys import SERVER
from appliance.transport.client import Connector
from appliance.transport.clock import SystemClock
from appliance.transport.routes import DnsResolver, Endpoint, Router
from appliance.transport.runner import Delivery, Runner

SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")
"""What systemd-timesyncd makes once it has set the clock."""

SET_BY_HAND = "clock-set"
"""What the console makes in the data directory when a person has set the clock."""


def clock_is_trusted(parts: Parts) -> bool:
    """Whether the time can be believed: always, unless the board is said to have no clock of its own."""
    if not parts.settings.clock.wait_for_sync:
        return True
    return SYNCHRONIZED.exists() or (parts.store.directory / SET_BY_HAND).exists()


def is_own(endpoint: Endpoint) -> bool:
    """Whether an endpoint that DNS named is this machine: mail must not be sent in circles. An address is
    ours if a socket can be bound to it."""
    family = socket.AF_INET6 if ":" in endpoint.address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((endpoint.address, 0))
    except OSError:
        return False
    return True


async def run(parts: Parts, connector: Callable[[str], Connector] = Connector.of) -> None:
    """Drain the queue until cancelled."""
    hostname = parts.organization.hostname
    router = Router(DnsResolver(), frozenset({hostname}), is_own)
    clock = SystemClock(partial(clock_is_trusted, parts))
    runner = Runner(Delivery(parts.store, hostname, router, connector(hostname), clock))
    unsubscribe = parts.watches.subscribe(SERVER, runner.wake)
    runner.start()
    try:
        await asyncio.Event().wait()
    finally:
        unsubscribe()
        await runner.stop()
