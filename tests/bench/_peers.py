"""The peers of the benchmarks and of some tests: Debian's Dovecot and Postfix, each on loopback ports of its
own, with its files below one temporary directory, both syncing to disk as their defaults say. And Satchel
itself, started as its users start it.

Needs root (Postfix insists on it) and the packages dovecot-imapd, dovecot-lmtpd, postfix.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_offset

USER, PASSWORD, DOMAIN = "anna", "benchmark-1", "example.test"
ADDRESS = f"{USER}@{DOMAIN}"
START_LIMIT = 30.0


def missing() -> str:
    """Why the peers cannot run here; empty when they can."""
    if os.geteuid() != 0:
        return "the peers need root"
    absent = [name for name in ("dovecot", "postfix") if shutil.which(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    """Until something answers on a loopback port. Raises TimeoutError."""
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
                probe.settimeout(5)
                if probe.recv(1):
                    return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f"nothing answers on port {port}")


_DOVECOT = """
protocols = imap lmtp
base_dir = {dir}/run
state_dir = {dir}/state
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
log_path = {dir}/log
mail_location = maildir:{dir}/mail/%u
mail_uid = vmail
mail_gid = vmail
first_valid_uid = 1
auth_username_format = %n
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=vmail gid=vmail home={dir}/home/%n
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  unix_listener {dir}/lmtp {{
    mode = 0666
  }}
}}
service anvil {{
  client_limit = 2000
}}
mail_max_userip_connections = 1000
namespace inbox {{
  inbox = yes
}}
"""

_POSTFIX_MAIN = """
compatibility_level = 3.6
queue_directory = {dir}/spool
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.{domain}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = static:ok
virtual_transport = lmtp:unix:{lmtp}
smtpd_recipient_restrictions = permit_mynetworks, reject
maillog_file = /var/log/satchel-bench-postfix.log
smtpd_client_connection_count_limit = 0
default_process_limit = 100
message_size_limit = 104857600
virtual_mailbox_limit = 0
alias_maps =
alias_database =
"""

_POSTFIX_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@contextmanager
def dovecot(directory: Path) -> Iterator[tuple[int, Path]]:
    """A running Dovecot: its IMAP port and its LMTP socket."""
    subprocess.run(["useradd", "--system", "--no-create-home", "vmail"], capture_output=True, check=False)
    for name in ("run", "state", "mail", "home"):
        (directory / name).mkdir(parents=True, exist_ok=True)
        shutil.chown(directory / name, "vmail", "vmail")
    directory.chmod(0o755)
    port = free_port()
    config = directory / "dovecot.conf"
    config.write_text(_DOVECOT.format(dir=directory, imap=port, password=PASSWORD))
    process = subprocess.Popen(["dovecot", "-F", "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield port, directory / "lmtp"
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def postfix(directory: Path, lmtp: Path) -> Iterator[int]:
    """A running Postfix that hands everything on to `lmtp`: its SMTP port."""
    port = free_port()
    config = directory / "conf"
    for name in ("conf", "spool", "data"):
        (directory / name).mkdir(parents=True)
    shutil.chown(directory / "data", "postfix", "postfix")
    (config / "main.cf").write_text(_POSTFIX_MAIN.format(dir=directory, domain=DOMAIN, lmtp=lmtp))
    (config / "master.cf").write_text(_POSTFIX_MASTER.format(port=port))
    (config / "dynamicmaps.cf").write_text("")
    # Postfix follows directories of its queue from the top: all must be open to its user.
    for parent in (directory, *directory.parents):
        if parent.stat().st_mode & 0o055 != 0o055 and str(parent).startswith("/tmp/"):
            parent.chmod(0o755)
    command = ["postfix", "-c", str(config)]
    subprocess.run([*command, "start"], check=True, capture_output=True)
    try:
        wait_for(port)
        yield port
    finally:
        subprocess.run([*command, "stop"], check=False, capture_output=True)


class Satchel:
    """A running server: its process, its data, its port offset."""

    def __init__(self, process: "subprocess.Popen[str]", data: Path, offset: int) -> None:
        self.process, self.data, self.offset = process, data, offset
        self.smtp, self.imap = offset + 25, offset + 143

    def anonymous_memory(self) -> int:
        """RssAnon of the process, in bytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        raise LookupError("RssAnon")

    def settle(self, limit: float = 120.0) -> None:
        """Until the process uses no CPU to speak of: background indexing is done."""
        end, calm, last = time.monotonic() + limit, 0, self._ticks()
        while calm < 3 and time.monotonic() < end:
            time.sleep(1.0)
            now = self._ticks()
            calm, last = (calm + 1 if now - last <= 3 else 0), now

    def _ticks(self) -> int:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])


def appliance(data: Path, *arguments: str) -> str:
    """Run one command of the appliance; its output. Raises CalledProcessError."""
    command = [sys.executable, "-m", "appliance.cli", "--data", str(data), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def make_office(data: Path) -> None:
    """A data directory with one person."""
    appliance(data, "init", "--domain", DOMAIN)
    appliance(data, "user", "add", ADDRESS, "--password", PASSWORD)


@contextmanager
def satchel(data: Path, *flags: str) -> Iterator[Satchel]:
    """Satchel serving a data directory on a free range of ports."""
    offset = free_offset()
    command = [sys.executable, "-m", "appliance.cli", "--data", str(data), "serve", "--bind", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "--port-offset", str(offset), "--log-level", "warning", *flags],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.strip() == "ready":
                break
        else:
            raise RuntimeError("the server did not become ready")
        yield Satchel(process, data, offset)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        process.stdout.close()
