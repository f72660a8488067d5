"""Who is at the two ends of a socket: addresses in the one form in which all of the server compares them."""

import asyncio
import ipaddress
from functools import lru_cache
from typing import NamedTuple


@lru_cache(maxsize=1024)  # the same clients come again and again
def _known_address(text: str) -> tuple[str, bool]:
    """An address as text, an IPv4 address mapped into IPv6 as IPv4, without a zone; and whether it is one of
    this machine."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(address), address.is_loopback


class Ends(NamedTuple):
    """Both ends of a connection. `is_loopback`: both are of this machine, loopback addresses."""

    peer: str
    peer_port: int
    local: str
    local_port: int
    is_loopback: bool


NOWHERE = Ends("0.0.0.0", 0, "0.0.0.0", 0, False)
"""The ends of a connection whose peer went before it was accepted."""


def ends_of(transport: asyncio.BaseTransport) -> Ends:
    """Both ends of a socket that was accepted."""
    peer, local = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
    try:
        (there, far), (here, near) = _known_address(peer[0]), _known_address(local[0])
        return Ends(there, peer[1], here, local[1], far and near)
    except (TypeError, ValueError, IndexError):
        return NOWHERE
