"""What panel and console ask of the machine below: network, time zone, name, restart, factory reset.

The server has no rights over the system. It leaves files: choices in `machine/` beside the data directory,
requests in `/run/appliance/request/`; units of the system act on them. On a machine without those units (a
developer's) there is nobody to ask, and each function says so with NotAppliance.

A factory reset happens in two steps: `mark_reset` leaves a mark beside the data, and before the next start
`erase` takes everything away, the mark last, so that a power cut means that it begins anew.
"""

import os
import secrets
import shutil
import time
import zoneinfo
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from appliance.panel import network
from appliance.panel.network import Network

REQUESTS = Path("/run/appliance/request")
STICK = Path("/run/appliance-stick")
ANSWERS = Path("/run/appliance-update")
MARK = "factory-reset"
FOLDER = "machine"
BACKUP_SUFFIX = ".satchel"
BUNDLE_SUFFIX = ".raucb"
FIRST_YEAR, LAST_YEAR = 2025, 2099
CLOCK_PATIENCE = 10.0
"""Seconds that the system may take to set the clock."""

UPDATE_PATIENCE = 900.0
"""Seconds that the system may take for what is asked about updates: a slow card writes a slot in minutes."""

ACTIONS = ("reboot", "poweroff")


class UpdateRefused(OSError):
    """The system did not do what was asked about updates; its reason in one line."""


class NotAppliance(OSError):
    """Nobody acts on this here; one line."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine of a data directory. `requests` and `stick` are where the system looks and mounts."""

    data: Path
    requests: Path = REQUESTS
    stick: Path = STICK
    answers: Path = ANSWERS

    @property
    def choices(self) -> Path:
        """The folder of choices: beside the data, since the data directory itself comes and goes."""
        return self.data.absolute().parent / FOLDER

    @property
    def is_appliance(self) -> bool:
        """Whether units of the system act on choices and requests."""
        return self.choices.is_dir() and self.requests.is_dir()

    def request(self, action: str) -> None:
        """Ask for `reboot` or `poweroff`. Raises NotAppliance."""
        assert action in ACTIONS
        self._need()
        (self.requests / action).touch()

    def ending(self) -> bool:
        """Whether a restart or shutdown was asked for."""
        return any((self.requests / action).exists() for action in ACTIONS)

    def network(self) -> Network:
        """The network that was chosen. Raises NetworkError."""
        return network.read(self.choices)

    def set_network(self, chosen: Network) -> None:
        """Choose a network. Raises NotAppliance."""
        self._choose(network.FILE_NAME, network.render(chosen))

    def timezone(self) -> str:
        """The time zone that was chosen."""
        try:
            return (self.choices / "timezone").read_text(encoding="ascii").strip() or "UTC"
        except (OSError, UnicodeDecodeError):
            return "UTC"

    def set_timezone(self, zone: str) -> None:
        """Choose a time zone. Raises ValueError, NotAppliance."""
        self._choose("timezone", check_zone(zone) + "\n")

    def set_hostname(self, name: str) -> None:
        """Choose the machine's name. Raises NotAppliance."""
        self._choose("hostname", name + "\n")

    def set_clock(self, seconds: int) -> None:
        """Ask for the clock to be set to `seconds` since 1970, and wait until it was. Raises NotAppliance."""
        self._need()
        request = self.requests / "clock"
        write_whole(request, f"{seconds}\n")
        deadline = time.monotonic() + CLOCK_PATIENCE
        while request.exists():
            if time.monotonic() > deadline:
                request.unlink(missing_ok=True)
                raise NotAppliance("the system did not set the clock")
            time.sleep(0.05)

    def parse_time(self, text: str) -> int:
        """Seconds since 1970 of a local time as `2026-05-04 12:30`. Raises ValueError."""
        try:
            local = datetime.strptime(text.strip(), "%Y-%m-%d %H:%M")
        except ValueError:
            raise ValueError(f"{text[:40]!r} is no time as 2026-05-04 12:30") from None
        if not FIRST_YEAR <= local.year <= LAST_YEAR:
            raise ValueError(f"the year is between {FIRST_YEAR} and {LAST_YEAR}")
        return int(local.replace(tzinfo=zoneinfo.ZoneInfo(self.timezone())).timestamp())

    def backups(self) -> list[Path]:
        """Backups on the stick, the newest first. Looking mounts it. Raises NotAppliance without a stick."""
        return self._on_stick(BACKUP_SUFFIX)

    def bundles(self) -> list[Path]:
        """Update bundles on the stick, the last by name first. Looking mounts it. Raises NotAppliance."""
        return self._on_stick(BUNDLE_SUFFIX)

    def _on_stick(self, suffix: str) -> list[Path]:
        try:
            found = [path for path in self.stick.iterdir() if path.suffix == suffix and path.is_file()]
        except OSError:
            raise NotAppliance("there is no USB stick (FAT or exFAT) plugged in") from None
        return sorted(found, key=lambda path: path.name, reverse=True)

    def update(self, command: str, file: Path | None = None) -> str:
        """Have the system do something about updates (`status`, `good`, `rollback`, `install` with a file)
        and wait for its answer: what it says. Blocks, for minutes when a slow card is written. Raises
        NotAppliance, UpdateRefused."""
        self._need()
        if not self.answers.is_dir():
            raise NotAppliance("this system cannot be updated: it runs from no slot")
        number = secrets.token_hex(8)
        write_whole(self.requests / "update", f"{number} {command}" + (f" {file}" if file else "") + "\n")
        deadline = time.monotonic() + UPDATE_PATIENCE
        while time.monotonic() < deadline:
            head, _, text = self._answer().partition("\n")
            if head.split()[:1] == [number]:
                if head.split()[1:] != ["0"]:
                    raise UpdateRefused(
                        text.strip().splitlines()[-1] if text.strip() else "it failed without a word"
                    )
                return text
            time.sleep(0.1)
        raise UpdateRefused("the system did not answer")

    def _answer(self) -> str:
        try:
            return (self.answers / "answer").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def mark_reset(self) -> None:
        """Have everything erased before the next start. Raises NotAppliance."""
        self._need()
        write_whole(self.data.absolute().parent / MARK, "")

    def erase(self) -> None:
        """Take the data and the choices away, and then the mark."""
        for path in sorted(self.data.glob("*")) if self.data.is_dir() else ():
            _remove(path)
        for path in sorted(self.choices.glob("*")) if self.choices.is_dir() else ():
            _remove(path)
        if self.data.is_dir() and self.is_appliance:
            self.data.rmdir()
        os.sync()
        (self.data.absolute().parent / MARK).unlink(missing_ok=True)

    def _need(self) -> None:
        if not self.is_appliance:
            raise NotAppliance("this machine is not run by the appliance's system: do it by its own means")

    def _choose(self, name: str, text: str) -> None:
        self._need()
        write_whole(self.choices / name, text)


def check_zone(zone: str) -> str:
    """An IANA time zone as Europe/Berlin, in any case of letters. Raises ValueError."""
    wanted = zone.strip()
    for known in zoneinfo.available_timezones():
        if known.lower() == wanted.lower() and not known.startswith(("posix/", "right/", "localtime")):
            return known
    raise ValueError(f"{wanted[:40]!r} is no time zone as Europe/Berlin or UTC")


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is the old or the new one, also after a power cut."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with partial.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
