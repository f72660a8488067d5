"""One real server for each module, and the programs that judge it."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.served import Served, command, make_office


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An office of three people, served; checked when the module's tests are done."""
    directory = tmp_path_factory.mktemp("office")
    data = make_office(directory / "data")
    with Served(data) as served:
        yield served
        assert served.stop() == 0
    checked = command(data, "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def need(program: str) -> str:
    """The path of a program, or a skip that names it."""
    found = shutil.which(program)
    if not found:
        pytest.skip(f"{program} is not installed")
    return found


def run(
    *line: str | Path, home: Path, stdin: bytes = b"", environment: Mapping[str, str] | None = None
) -> bytes:
    """Run a program that must succeed, with a home of its own; what it printed."""
    done = subprocess.run(
        [str(part) for part in line],
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
        cwd=home,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **(environment or {})},
    )
    assert done.returncode == 0, (line, done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout


def admin(server: Served, *arguments: str) -> str:
    """Run an `appliance` command beside the running server; what it printed."""
    done = command(server.data, *arguments)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout
