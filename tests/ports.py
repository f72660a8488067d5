"""Free ports on loopback for servers under test.

The ranges lie below the kernel's ephemeral ports, so that no outgoing connection takes one between the look
and the bind; they are drawn at random, so that parallel workers seldom meet. Who starts a server tries again.
"""

import random
import socket

from appliance.app import SERVICES

_PORTS = tuple(port for row in SERVICES for port in (row.port, row.tls_port) if port is not None)
_LOW, _HIGH = 10_000, 31_000
_ATTEMPTS = 200


def free_offset() -> int:
    """A port offset at which every service's ports are free now."""
    rng = random.SystemRandom()
    for _ in range(_ATTEMPTS):
        offset = rng.randrange(_LOW, _HIGH)
        if all(_is_free(offset + port) for port in _PORTS):
            return offset
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
