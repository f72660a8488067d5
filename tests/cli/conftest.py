"""The command line, in this process."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.cli import frame


class Cli:
    """Runs commands on one data directory."""

    def __init__(self, data: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.data, self._capture = data, capture

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """(exit code, stdout, stderr)."""
        self._capture.readouterr()
        code = frame.run(["--data", str(self.data), *arguments])
        out, err = self._capture.readouterr()
        return code, out, err

    def ok(self, *arguments: str) -> str:
        """The output of a command that must succeed."""
        code, out, err = self.run(*arguments)
        assert (code, err) == (0, "")
        return out

    def json(self, *arguments: str) -> Any:
        """The JSON that a command prints."""
        return json.loads(self.ok(*arguments, "--json"))

    def refused(self, *arguments: str) -> str:
        """The one line with which a command is refused."""
        code, out, err = self.run(*arguments)
        assert (code, out) == (1, "")
        assert err.count("\n") == 1
        return err


@pytest.fixture
def bare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """A data directory that is not there yet."""
    return Cli(tmp_path / "data", capsys)


@pytest.fixture
def cli(bare: Cli) -> Cli:
    """A data directory made by `appliance init`."""
    bare.ok("init", "--domain", "example.test", "--organization", "Example Ltd")
    return bare


Maker = Callable[[], Cli]
