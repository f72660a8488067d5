"""The addresses of this machine."""

import fcntl
import ipaddress
import socket
import struct
from pathlib import Path

_SIOCGIFADDR = 0x8915
_IPV6_TABLE = Path("/proc/net/if_inet6")


def addresses() -> list[str]:
    """IPv4 and IPv6 addresses of the machine's interfaces, without loopback and link-local ones."""
    found = [*_ipv4(), *_ipv6()]
    usable = (ipaddress.ip_address(text) for text in found)
    kept = (str(address) for address in usable if not (address.is_loopback or address.is_link_local))
    return list(dict.fromkeys(kept))


def _ipv4() -> list[str]:
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                answer = fcntl.ioctl(probe, _SIOCGIFADDR, request)
            except OSError:  # the interface has no IPv4 address
                continue
            found.append(socket.inet_ntoa(answer[20:24]))
    return found


def _ipv6() -> list[str]:
    try:
        rows = _IPV6_TABLE.read_text().splitlines()
    except OSError:  # no IPv6 in this kernel
        return []
    return [str(ipaddress.IPv6Address(bytes.fromhex(row.split()[0]))) for row in rows]
