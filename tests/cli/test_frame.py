"""Exit codes, the lazy table, one line on stderr."""

import subprocess
import sys
from pathlib import Path

import pytest

from appliance.cli import commands, frame
from tests.cli.conftest import Cli


def test_every_row_leads_to_its_command() -> None:
    with frame.appliance.make_context("appliance", ["init"]) as ctx:
        group = frame.appliance
        assert isinstance(group, frame.LazyGroup)
        for row in commands.COMMANDS:
            command = group.get_command(ctx, row.name)
            assert command is not None
            assert command.name == row.name
            assert command.help
            assert row.about.endswith(".")


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["init"], ["init", "--domain"], ["--nonsense"], ["setting", "get"]]
)
def test_wrong_usage_is_two(bare: Cli, arguments: list[str]) -> None:
    code, out, err = bare.run(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_refusals_are_one_line(bare: Cli) -> None:
    assert "no store here" in bare.refused("setting", "list")


def test_an_unforeseen_error_is_one_line_too(bare: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise ZeroDivisionError("a\nb")

    monkeypatch.setattr(frame.importlib, "import_module", fail)
    assert "internal error" in bare.refused("init", "--domain", "x.test")


def test_help_imports_no_command_and_nothing_heavy() -> None:
    code = (
        "import sys; from appliance.cli.frame import run; run(['--help']);"
        "heavy = {'cryptography', 'lmdb', 'rich', 'uvloop', 'lxml', 'asyncio'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "init" in done.stdout


def test_the_data_directory_comes_from_the_environment(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("APPLIANCE_DATA", str(cli.data))
    assert frame.run(["setting", "get", "log.level"]) == 0
    assert capsys.readouterr().out == "info\n"
