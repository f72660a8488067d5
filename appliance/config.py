"""The table of settings: one declaration feeds the file, the command line, the store and the reference page.

A setting is a field of a section below: its name is `section.field`, its type, bounds and meaning stand in
the call that declares it. Values come, the first that exists, from the command line, from
`DIR/appliance.toml`, from the store (`appliance setting set`), from the default here.

Invariants:
- Every value is written as one text (`50M`, `10m`, `on`), the same in the store, on the command line and in
  the reference page; the file may write it as TOML's own type too.
- `Settings` is complete and valid or does not exist: anything unknown or out of bounds is a SettingError
  that names the place and what is allowed.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

FILE_NAME = "appliance.toml"

Value = bool | int | str | tuple[str, ...]


class SettingError(ValueError):
    """A setting that does not exist, or a value that it cannot have. The message is one line."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of values: how a text becomes one and the other way round."""

    name: str
    parse: Callable[[str], Value]
    """Raises ValueError."""
    show: Callable[[Any], str]
    native: type
    """What TOML may give instead of a text."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table."""

    name: str
    kind: Kind
    default: Value
    about: str
    low: int | None
    high: int | None
    choices: tuple[str, ...]
    live: bool
    """Whether a running server takes a change at once; others take it at the next start."""

    @property
    def allowed(self) -> str:
        """The values that this setting can have, in words."""
        if self.choices:
            several = "any of " if self.kind is _LIST else "one of "
            return several + ", ".join(self.choices)
        if self.low is not None and self.high is not None:
            return f"{self.kind.name} from {self.kind.show(self.low)} to {self.kind.show(self.high)}"
        return self.kind.name

    def parse(self, text: str) -> Value:
        """The value that `text` means. Raises SettingError."""
        try:
            value = self.kind.parse(text)
        except ValueError:
            raise self._wrong(text) from None
        return self._bounded(value, text)

    def convert(self, raw: object) -> Value:
        """The value that TOML gave. Raises SettingError."""
        if isinstance(raw, str):
            return self.parse(raw)
        if self.kind is _LIST and isinstance(raw, list) and all(isinstance(part, str) for part in raw):
            return self._bounded(tuple(raw), str(raw))
        if type(raw) is self.kind.native and isinstance(raw, bool | int):
            return self._bounded(raw, str(raw))
        raise self._wrong(str(raw))

    def show(self, value: Value) -> str:
        """The text of a value."""
        return self.kind.show(value)

    def _bounded(self, value: Value, text: str) -> Value:
        parts = value if isinstance(value, tuple) else (value,)
        if self.choices and any(part not in self.choices for part in parts):
            raise self._wrong(text)
        bounded = self.low is not None and self.high is not None and isinstance(value, int)
        if bounded and not self.low <= value <= self.high:  # type: ignore[operator]
            raise self._wrong(text)
        return value

    def _wrong(self, text: str) -> SettingError:
        return SettingError(f"{self.name} = {text[:80]!r}: allowed is {self.allowed}")


# -- kinds of values ----------------------------------------------------------------------------------

_SIZE_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_TIME_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZE = re.compile(r"(\d{1,15})([KMGT]?)B?", re.IGNORECASE | re.ASCII)
_TIME = re.compile(r"(\d{1,12})([smhd])", re.ASCII)
_SWITCH = {"on": True, "off": False, "true": True, "false": False, "yes": True, "no": False}


def parse_size(text: str) -> int:
    """Bytes that `500K`, `1M`, `2G` or a plain number mean (units of 1024). Raises ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a size as 500K, 1M or 2G")
    return int(found[1]) * _SIZE_UNITS[found[2].upper()]


def show_size(value: int) -> str:
    """A number of bytes in the largest unit that needs no fraction."""
    for unit, factor in reversed(_SIZE_UNITS.items()):
        if value >= factor and value % factor == 0:
            return f"{value // factor}{unit}"
    return "0"


def parse_time(text: str) -> int:
    """Seconds that `30s`, `10m`, `2h` or `7d` mean. Raises ValueError."""
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a time as 30s, 10m or 2h")
    return int(found[1]) * _TIME_UNITS[found[2]]


def _show_time(value: int) -> str:
    for unit, factor in reversed(_TIME_UNITS.items()):
        if value >= factor and value % factor == 0:
            return f"{value // factor}{unit}"
    return "0s"


def _parse_switch(text: str) -> bool:
    try:
        return _SWITCH[text.strip().lower()]
    except KeyError:
        raise ValueError(text) from None


def _parse_text(text: str) -> str:
    if len(text) > 1000 or any(ord(char) < 32 for char in text):
        raise ValueError(text)
    return text.strip()


def _parse_list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in _parse_text(text).split(",") if part.strip())


_SWITCHED = Kind("on or off", _parse_switch, lambda value: "on" if value else "off", bool)
_NUMBER = Kind("a number", int, str, int)
_BYTES = Kind("a size", parse_size, show_size, int)
_SECONDS = Kind("a time (30s, 10m, 2h, 7d)", parse_time, _show_time, int)
_TEXT = Kind("a line of text", _parse_text, str, str)
_LIST = Kind("a list with commas", _parse_list, ", ".join, list)


def _declare(
    kind: Kind,
    default: Value,
    about: str,
    *,
    low: int | None = None,
    high: int | None = None,
    choices: tuple[str, ...] = (),
    live: bool = False,
) -> Any:
    setting = Setting("", kind, default, about, low, high, choices, live)
    return field(default=default, metadata={"setting": setting})


def switch(default: bool, about: str, *, live: bool = False) -> Any:
    """Declares a setting that is on or off."""
    return _declare(_SWITCHED, default, about, live=live)


def number(default: int, about: str, *, low: int, high: int, live: bool = False) -> Any:
    """Declares a number."""
    return _declare(_NUMBER, default, about, low=low, high=high, live=live)


def size(default: str, about: str, *, low: str, high: str, live: bool = False) -> Any:
    """Declares a number of bytes."""
    return _declare(_BYTES, parse_size(default), about, low=parse_size(low), high=parse_size(high), live=live)


def seconds(default: str, about: str, *, low: str, high: str, live: bool = False) -> Any:
    """Declares a time in seconds."""
    return _declare(
        _SECONDS, parse_time(default), about, low=parse_time(low), high=parse_time(high), live=live
    )


def text(default: str, about: str, *, live: bool = False) -> Any:
    """Declares a line of text."""
    return _declare(_TEXT, default, about, live=live)


def choice(default: str, about: str, *choices: str, live: bool = False) -> Any:
    """Declares one of some words."""
    return _declare(_TEXT, default, about, choices=choices, live=live)


def several(default: tuple[str, ...], about: str, *choices: str, live: bool = False) -> Any:
    """Declares a list of words, any or of `choices`."""
    return _declare(_LIST, default, about, choices=choices, live=live)


# -- the table ----------------------------------------------------------------------------------------

ROLES = ("mta", "access", "web", "directory", "panel")


@dataclass(frozen=True, slots=True)
class Serve:
    """What this machine serves, and where."""

    bind: tuple[str, ...] = several(("::",), "Addresses to listen on; :: means all, IPv4 too.")
    port_offset: int = number(0, "Added to every standard port.", low=0, high=58000)
    roles: tuple[str, ...] = several(ROLES, "Groups of services that this process runs.", *ROLES)


@dataclass(frozen=True, slots=True)
class Log:
    """What is written to the log."""

    level: str = choice(
        "info", "The least weighty line that is written.", "debug", "info", "warning", "error"
    )


@dataclass(frozen=True, slots=True)
class Connections:
    """How many connections each service takes."""

    total: int = number(4000, "Connections of one service.", low=10, high=100000)
    per_address: int = number(1000, "Connections of one service from one address.", low=1, high=100000)
    unsettled: int = number(
        1200, "Connections of one service that have not logged in; then the oldest goes.", low=5, high=100000
    )
    unsettled_per_address: int = number(
        600, "Of these, from one address; then its oldest goes.", low=1, high=100000
    )


@dataclass(frozen=True, slots=True)
class Auth:
    """How people log in."""

    ntlm: bool = switch(True, "Offer NTLM. Off deletes the NT hashes, so that on asks for new passwords.")
    plain_on_loopback: bool = switch(True, "Take passwords without TLS from programs on this machine.")


@dataclass(frozen=True, slots=True)
class Smtp:
    """Mail coming in over SMTP."""

    max_size: int = size("100M", "The biggest message that is taken.", low="64K", high="2G")


@dataclass(frozen=True, slots=True)
class Clock:
    """The machine's clock."""

    wait_for_sync: bool = switch(
        False,
        "For boards without a clock: nothing expires or bounces until the time is synchronised or set.",
        live=True,
    )


@dataclass(frozen=True, slots=True)
class Pop3:
    """POP3."""

    idle: int = seconds(
        "10m", "How long a client may be silent (RFC 1939 asks for 10m).", low="1m", high="1h"
    )
    login_delay: int = seconds("0s", "Least time between two log-ins of one user.", low="0s", high="1h")


HTTP_SCHEMES = ("basic", "ntlm", "negotiate")


@dataclass(frozen=True, slots=True)
class Http:
    """Everything over HTTP."""

    auth: tuple[str, ...] = several(
        HTTP_SCHEMES, "Ways to log on, in the order in which they are offered.", *HTTP_SCHEMES, live=True
    )
    idle: int = seconds("2m", "How long a connection may wait for its next request.", low="5s", high="1h")
    access_log: bool = switch(True, "Write a line to the log for each request.", live=True)


@dataclass(frozen=True, slots=True)
class Announce:
    """What is told to the neighbourhood."""

    mdns: bool = switch(True, "Announce the services on the LAN (multicast DNS), unless bound to loopback.")


@dataclass(frozen=True, slots=True)
class Panel:
    """Lights, button and serial console."""

    board: str = text("auto", "The board's description: a name, a file, or auto.")
    brightness: int = number(100, "Brightness of the lights in percent.", low=1, high=100, live=True)
    idle: int = seconds("10m", "How long a console may be silent before it logs out.", low="1m", high="1d")


@dataclass(frozen=True, slots=True)
class Imap:
    """IMAP."""

    idle: int = seconds(
        "30m", "How long a client may be silent (RFC 9051 asks for 30m).", low="1m", high="24h"
    )
    append_limit: int = size("128M", "The biggest message that a client may store.", low="64K", high="2G")


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept that nobody needs every day."""

    deleted: int = seconds(
        "30d", "How long deleted messages can be recovered.", low="1d", high="3650d", live=True
    )
    log: int = seconds(
        "90d",
        "How long changes are remembered, for clients that were away.",
        low="7d",
        high="700d",
        live=True,
    )
    views: int = seconds("14d", "How long an unused sort order is kept.", low="1d", high="365d", live=True)


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, by section."""

    serve: Serve = field(default_factory=Serve)
    log: Log = field(default_factory=Log)
    connections: Connections = field(default_factory=Connections)
    auth: Auth = field(default_factory=Auth)
    smtp: Smtp = field(default_factory=Smtp)
    clock: Clock = field(default_factory=Clock)
    pop3: Pop3 = field(default_factory=Pop3)
    http: Http = field(default_factory=Http)
    announce: Announce = field(default_factory=Announce)
    imap: Imap = field(default_factory=Imap)
    retention: Retention = field(default_factory=Retention)
    panel: Panel = field(default_factory=Panel)

    def value(self, name: str) -> Value:
        """The value of a setting by its name. Raises SettingError."""
        section, _, key = find(name).name.partition(".")
        value: Value = getattr(getattr(self, section), key)
        return value

    def replaced(self, values: Mapping[str, Value]) -> "Settings":
        """These settings with some values changed. Raises SettingError for an unknown name."""
        settings = self
        for name, value in values.items():
            section, _, key = find(name).name.partition(".")
            part = changed(getattr(settings, section), **{key: value})
            settings = changed(settings, **{section: part})
        return settings


def _declared() -> Iterator[Setting]:
    defaults = Settings()
    for section in fields(Settings):
        for row in fields(getattr(defaults, section.name)):
            setting: Setting = row.metadata["setting"]
            yield changed(setting, name=f"{section.name}.{row.name}")


TABLE: dict[str, Setting] = {setting.name: setting for setting in _declared()}
"""Every setting by name, in the order of the reference page."""


def find(name: str) -> Setting:
    """The row of a setting. Raises SettingError with the names that exist."""
    setting = TABLE.get(name)
    if setting is None:
        section = name.partition(".")[0] + "."
        near = [other for other in TABLE if other.startswith(section)] or list(TABLE)
        raise SettingError(f"there is no setting {name[:80]!r}: allowed is one of {', '.join(near)}")
    return setting


# -- the sources --------------------------------------------------------------------------------------


def load(directory: Path, stored: Mapping[str, str], flags: Mapping[str, Value]) -> Settings:
    """All sources together: defaults, the store's texts, the file in `directory`, the command line.

    Raises SettingError with the place of the first thing that is wrong."""
    values: dict[str, Value] = {}
    for name, text_of_value in stored.items():
        try:
            values[name] = find(name).parse(text_of_value)
        except SettingError as error:
            raise SettingError(f"in the store: {error}") from None
    values.update(read_file(directory / FILE_NAME))
    values.update(flags)
    return Settings().replaced(values)


def read_file(path: Path) -> dict[str, Value]:
    """The settings of a file; none if it does not exist. Raises SettingError with the line."""
    try:
        source = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path}: {error}") from None
    try:
        tables = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{path}: {error}") from None
    values: dict[str, Value] = {}
    for section, rows in tables.items():
        for name, raw in _rows(section, rows):
            try:
                values[name] = find(name).convert(raw)
            except SettingError as error:
                raise SettingError(f"{path}, line {_line(source, name)}: {error}") from None
    return values


def _rows(section: str, rows: object) -> Iterator[tuple[str, object]]:
    if isinstance(rows, dict):
        for key, raw in rows.items():
            yield f"{section}.{key}", raw
    else:
        yield section, rows


def _line(source: str, name: str) -> int:
    """The line on which a setting stands, as near as a look at the text tells."""
    section, _, key = name.partition(".")
    dotted = re.compile(rf"\s*{re.escape(name)}\s*[=.]")
    plain = re.compile(rf"\s*[\"']?{re.escape(key or section)}[\"']?\s*[=.]")
    current, begin = "", 1
    for number_of_line, line in enumerate(source.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([^\]]*?)\s*\]", line):
            current = header[1]
            begin = number_of_line if current == section else begin
        elif dotted.match(line) or (plain.match(line) and current == (section if key else "")):
            return number_of_line
    return begin


def reference() -> str:
    """The reference page of all settings, in Markdown."""
    lines = ["# Settings", "", __doc__.split("\n\n")[1].replace("\n", " "), ""]
    for section in fields(Settings):
        part = getattr(Settings(), section.name)
        lines += [f"## {section.name}", "", (part.__doc__ or "").strip(), ""]
        lines += ["| name | allowed | default | meaning |", "| --- | --- | --- | --- |"]
        for setting in TABLE.values():
            if setting.name.startswith(section.name + "."):
                default = setting.show(setting.default) or "(empty)"
                when = "" if not setting.live else " Taken at once."
                lines.append(
                    f"| `{setting.name}` | {setting.allowed} | `{default}` | {setting.about}{when} |"
                )
        lines.append("")
    return "\n".join(lines)
