"""What systemd and a service say to each other: readiness, the watchdog, sockets passed at the start.

Without systemd (no NOTIFY_SOCKET, no LISTEN_FDS) everything here does nothing.
"""

import os
import socket

_FIRST_DESCRIPTOR = 3


def notify(*states: str) -> bool:
    """Tell the service manager (`READY=1`, `WATCHDOG=1`, `STOPPING=1`, `STATUS=...`); whether it was told."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.connect(address)
            sender.sendall("\n".join(states).encode())
    except OSError:
        return False
    return True


def watchdog_interval() -> float | None:
    """Seconds between two signs of life (half of what the manager allows), or None if it waits for none."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    if not microseconds.isdigit() or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return max(int(microseconds) / 2e6, 0.5)


def passed_sockets() -> list[socket.socket]:
    """The listening sockets that were passed to this process; each can be taken once."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(os.environ.get("LISTEN_FDS", "0"))
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    sockets = []
    for descriptor in range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + count):
        os.set_inheritable(descriptor, False)
        passed = socket.socket(fileno=descriptor)
        passed.setblocking(False)
        sockets.append(passed)
    return sockets
