"""Commands that the console runs, and the restart that comes before they could answer."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.panel import commands
from appliance.panel.dialogue import Result, Run
from appliance.panel.machine import Machine


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    """Every command is ended by the stop of the server; requests lie in a folder of the test's."""
    program = tmp_path / "ended"
    program.write_text("#!/bin/sh\nkill -TERM $$\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    here = replace(Machine(tmp_path / "data"), requests=tmp_path / "request")
    here.requests.mkdir()
    monkeypatch.setattr(commands, "Machine", lambda data: here)
    return here


@pytest.mark.parametrize(
    "arguments", [("reboot", "--yes"), ("shutdown", "--yes"), ("update", "rollback", "--reboot")]
)
def test_a_restart_that_came_at_once_is_no_failure(cut: Machine, arguments: tuple[str, ...]) -> None:
    (cut.requests / "reboot").touch()
    assert asyncio.run(commands.run(cut.data, Run(arguments))) == Result(0)


def test_other_commands_that_were_cut_say_so(cut: Machine) -> None:
    (cut.requests / "reboot").touch()
    assert not asyncio.run(commands.run(cut.data, Run(("user", "add", "anna")))).ok


def test_a_restart_that_nobody_asked_for_is_a_failure(cut: Machine) -> None:
    assert not asyncio.run(commands.run(cut.data, Run(("reboot", "--yes")))).ok
