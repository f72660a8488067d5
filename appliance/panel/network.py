"""The network of this machine as a person chooses it: by DHCP, or fixed. One file for systemd-networkd.

`Network` is a valid choice or does not exist; `render` and `read` are inverse to each other. The file
stands in the folder of machine choices (`machine.py`), from where a unit of the system carries it over.
"""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

FILE_NAME = "10-appliance.network"
MAX_SERVERS = 4
MAX_FILE = 4096
INTERFACES = "en* eth* end*"
"""Wired ones: en* by the names of systemd, eth* of the kernel, end* on boards with a device tree."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NetworkError(ValueError):
    """A choice that cannot work; one line."""


@dataclass(frozen=True, slots=True)
class Network:
    """`address` with its prefix length, or empty for DHCP. All as text in their shortest form."""

    address: str = ""
    gateway: str = ""
    dns: tuple[str, ...] = ()

    @property
    def dhcp(self) -> bool:
        """Whether everything comes from the router."""
        return not self.address


def parse_address(text: str) -> str:
    """A host's address with its prefix length, as 192.168.1.10/24. Raises NetworkError."""
    if "/" not in text:
        raise NetworkError(f"{text!r}: the prefix length is missing, as in 192.168.1.10/24")
    try:
        interface = ipaddress.ip_interface(text.strip())
    except ValueError:
        raise NetworkError(f"{text!r} is no address as 192.168.1.10/24") from None
    network, host = interface.network, interface.ip
    special = host.is_multicast or host.is_loopback or host.is_unspecified
    edge = host in (network.network_address, getattr(network, "broadcast_address", None))
    if special or (edge and network.num_addresses > 2):
        raise NetworkError(f"{text!r} is not the address of one machine")
    return str(interface)


def parse_gateway(text: str, address: str) -> str:
    """A router within reach of `address`. Raises NetworkError."""
    interface, gateway = ipaddress.ip_interface(address), _ip(text)
    if gateway.is_link_local and gateway.version == 6 == interface.version:
        return str(gateway)
    if gateway not in interface.network or gateway == interface.ip:
        raise NetworkError(f"{text!r} is not another machine in {interface.network}")
    return str(gateway)


def parse_servers(text: str) -> tuple[str, ...]:
    """Addresses of name servers, parted by commas or spaces. Raises NetworkError."""
    servers = tuple(str(_ip(part)) for part in text.replace(",", " ").split())
    if not 1 <= len(servers) <= MAX_SERVERS:
        raise NetworkError(f"one to {MAX_SERVERS} name servers are needed")
    return servers


def _ip(text: str) -> Address:
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        raise NetworkError(f"{text!r} is no address as 192.168.1.1") from None


def static(address: str, gateway: str, dns: tuple[str, ...]) -> Network:
    """A fixed network from what a person typed. Raises NetworkError."""
    checked = parse_address(address)
    servers = parse_servers(" ".join(dns)) if dns else ()
    return Network(checked, parse_gateway(gateway, checked) if gateway else "", servers)


def render(network: Network) -> str:
    """The text for systemd-networkd."""
    lines = ["# Written by `appliance network`: changes here are lost.", "[Match]", f"Name={INTERFACES}", ""]
    lines += ["[Network]"]
    if network.dhcp:
        lines += ["DHCP=yes"]
    else:
        lines += ["DHCP=no", f"Address={network.address}"]
        lines += [f"Gateway={network.gateway}"] if network.gateway else []
    lines += [f"DNS={server}" for server in network.dns]
    lines += ["IPv6AcceptRA=yes"]
    return "\n".join(lines) + "\n"


def read(folder: Path) -> Network:
    """The choice of a folder; DHCP where none was made. Raises NetworkError for a file that is not ours."""
    try:
        with (folder / FILE_NAME).open(encoding="utf-8") as file:
            lines = file.read(MAX_FILE).splitlines()
    except FileNotFoundError:
        return Network()
    except (OSError, UnicodeDecodeError) as error:
        raise NetworkError(f"{folder / FILE_NAME}: {error}") from None
    values: dict[str, list[str]] = {}
    for line in lines:
        key, separator, value = line.partition("=")
        if separator:
            values.setdefault(key, []).append(value)
    (address,) = values.get("Address", [""])[:1]
    (gateway,) = values.get("Gateway", [""])[:1]
    dns = tuple(values.get("DNS", ()))
    return static(address, gateway, dns) if address else Network("", "", dns)
