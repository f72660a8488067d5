"""The machine under test, and the marks.

    pytest hw-tests                                        the image in build/image, under QEMU
    pytest hw-tests -s --board pi4 --serial /dev/ttyUSB0 --host 192.168.1.23

The tests of a file build on each other and on the files before: one machine lives through all of them, as one
on a shelf does. What a machine cannot do is skipped with the reason.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import people
import pytest
from machine import ROOT, Board, NotHere, Qemu

FOLDER = ROOT / "build" / "hw-tests"
SET_UP = os.environ.get("SATCHEL_DISK", "")
"""A disk that an earlier run has set up (a copy of its `disk.img`), to try single files of tests with."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("machine")
    group.addoption("--board", help="a board on the table instead of QEMU: pi3, pi4, zero2w, pi5")
    group.addoption("--serial", help="its serial line, as /dev/ttyUSB0")
    group.addoption("--host", help="its address in the network")
    group.addoption("--image", type=Path, help="the image; default: the one in build/image")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "quick: the boot test of every submission")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """What this machine cannot do is skipped."""
    outcome = yield
    if outcome.excinfo is not None and isinstance(outcome.excinfo[1], NotHere):
        outcome.force_exception(pytest.skip.Exception(str(outcome.excinfo[1])))


@pytest.fixture(scope="session")
def machine(request: pytest.FixtureRequest) -> Iterator[Qemu | Board]:
    """The machine, switched off."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    option = request.config.getoption
    if option("--board"):
        if not option("--serial") or not option("--host"):
            pytest.exit("--board needs --serial and --host", 2)
        yield Board(option("--serial"), option("--host"), FOLDER)
        return
    if shutil.which("qemu-system-aarch64") is None:
        pytest.skip("needs QEMU (apt: qemu-system-arm)")
    image = option("--image")
    if image is None and not list((ROOT / "build" / "image").glob("satchel-*.img")):
        pytest.skip("there is no image: make image")
    here = Qemu(FOLDER, image)
    if SET_UP:
        subprocess.run(["cp", "--sparse=always", SET_UP, here.disk], check=True)
    yield here
    here.cut()


@pytest.fixture(scope="session")
def fresh(machine: Qemu | Board) -> Qemu | Board:
    """The machine at its first start."""
    machine.start(boot="kernel")
    return machine


@pytest.fixture(scope="session")
def office(fresh: Qemu | Board) -> Qemu | Board:
    """The machine, set up by the wizard and serving."""
    if SET_UP:
        fresh.console.expect("Administrator's password: $")
    else:
        people.set_up(fresh)
    return fresh


@pytest.fixture(scope="session")
def measured() -> Iterator[dict[str, float]]:
    """Seconds and sizes that tests measured; they end in a file."""
    found: dict[str, float] = {}
    yield found
    lines = [f"{name}: {value:.1f}" for name, value in found.items()]
    if lines:
        (FOLDER / "measured.txt").write_text("\n".join(lines) + "\n")
