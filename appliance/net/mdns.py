"""Announces the services on the LAN by multicast DNS (RFC 6762, RFC 6763), so that programs find them.

A task of the role that serves HTTP. It does nothing where the setting is off or only loopback is served
(then zeroconf is not even imported), follows the machine's addresses, and takes everything back at the end.
A network without multicast is no reason to fail: it is tried again every INTERVAL seconds.
"""

import asyncio
import importlib
import ipaddress
import logging
import socket
from collections.abc import Sequence
from typing import Any

from appliance.net.interfaces import addresses
from appliance.net.log import event
from appliance.net.offers import Offers, records
from appliance.net.parts import Parts

INTERVAL = 60.0
"""Seconds between two looks at the machine's addresses."""

_log = logging.getLogger(__name__)


async def run(parts: Parts) -> None:
    """Announce until cancelled."""
    if not parts.settings.announce.mdns or only_loopback(parts.settings.serve.bind):
        return
    announcement: Announcement | None = None
    shown: list[str] = []
    try:
        while True:
            found = _to_show(parts.settings.serve.bind)
            if found != shown:
                shown = found
                if announcement is not None:
                    await announcement.close()
                announcement = await _announce(parts, found)
                shown = found if announcement else []
            await asyncio.sleep(INTERVAL)
    finally:
        if announcement is not None:
            await announcement.close()


async def _announce(parts: Parts, found: Sequence[str]) -> "Announcement | None":
    if not found:
        return None
    announcement = Announcement(found)
    try:
        await announcement.open(parts.organization.hostname, parts.offers)
    except OSError as error:
        event(_log, logging.WARNING, "mDNS does not work on this network", reason=error)
        await announcement.close()
        return None
    return announcement


def only_loopback(bind: Sequence[str]) -> bool:
    """Whether nobody on the LAN could use what is served."""
    return all(ipaddress.ip_address(address).is_loopback for address in bind)


def _to_show(bind: Sequence[str]) -> list[str]:
    """The addresses on which the services are found: of the machine, or those that are bound."""
    every = addresses()
    if any(ipaddress.ip_address(address).is_unspecified for address in bind):
        return every
    return [address for address in bind if address in every]


class Announcement:
    """The services as they are announced now. `interfaces`: addresses of ours, over which to speak."""

    def __init__(self, interfaces: Sequence[str]) -> None:
        self._interfaces = list(interfaces)
        self._zeroconf: Any = None

    async def open(self, hostname: str, offers: Offers) -> None:
        """Announce. Raises OSError where the network does not take multicast."""
        library: Any = importlib.import_module("zeroconf")
        asynchronous: Any = importlib.import_module("zeroconf.asyncio")
        self._zeroconf = asynchronous.AsyncZeroconf(interfaces=self._interfaces)
        packed = [_packed(address) for address in self._interfaces]
        for record in records(offers):
            kind = f"{record.name}.local."
            info = library.ServiceInfo(
                kind,
                f"{hostname}.{kind}",
                port=record.port,
                priority=record.priority,
                addresses=packed,
                server=f"{hostname.partition('.')[0]}.local.",
                properties={"host": hostname},
            )
            try:
                await (await self._zeroconf.async_register_service(info, allow_name_change=True))
            except library.Error as error:
                event(_log, logging.WARNING, "a service could not be announced", name=kind, reason=error)

    async def close(self) -> None:
        """Take everything back."""
        if self._zeroconf is not None:
            await self._zeroconf.async_unregister_all_services()
            await self._zeroconf.async_close()
            self._zeroconf = None


def _packed(address: str) -> bytes:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.inet_pton(family, address)
