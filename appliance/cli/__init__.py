"""The `appliance` command: a frame, a table of commands, one module for each (group of) command(s)."""

from appliance.cli.frame import main

__all__ = ["main"]
