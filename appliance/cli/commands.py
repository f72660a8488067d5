"""The table of commands. A row's module is imported only when its command runs: starting must be quick.

Nested commands (`user add`) are click groups within the module that the row names.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One command: its name, where it stands (`module:attribute`), and its line in the help."""

    name: str
    target: str
    about: str


COMMANDS = (
    Row("init", "appliance.cli.init:init", "Make a data directory."),
    Row("setting", "appliance.cli.setting:setting", "Look at settings and change them."),
    Row("tls", "appliance.cli.tls:tls", "Certificates."),
)
