"""An office in a directory of its own for each test, and a file system that misbehaves on command."""

import mmap
import shutil
import struct
import subprocess
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

import pytest

from tests.served import Served, make_office


class Fault(IntEnum):
    """What can be set, as in fault.c."""

    ROOM = 0
    TOLD = 1
    SYNC = 2
    CLOCK = 3


class Faults:
    """The control file of a process with `fault.c` preloaded."""

    def __init__(self, library: Path, data: Path, control: Path) -> None:
        control.write_bytes(struct.pack("<4q", -1, -1, 0, 0))
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAULT_ROOT": str(data),
            "FAULT_CONTROL": str(control),
        }
        with control.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 32)

    def set(self, fault: Fault, value: int) -> None:
        """From now on."""
        struct.pack_into("<q", self._map, fault * 8, value)

    def mend(self) -> None:
        """All is well again."""
        self._map[:] = struct.pack("<4q", -1, -1, 0, 0)

    def close(self) -> None:
        """Let go."""
        self._map.close()


@pytest.fixture(scope="session")
def made_office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: the verifiers of passwords take their time."""
    return make_office(tmp_path_factory.mktemp("office") / "data")


@pytest.fixture
def office(made_office: Path, tmp_path: Path) -> Path:
    """A data directory of the test's own."""
    shutil.copytree(made_office, tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture(scope="session")
def fault_library(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """fault.c as a library; None where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = tmp_path_factory.mktemp("fault") / "fault.so"
    source = Path(__file__).with_name("fault.c")
    flags = ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, "-o", library, source], check=True)
    return library


@pytest.fixture
def faults(fault_library: Path | None, office: Path, tmp_path: Path) -> Iterator[Faults]:
    """The control of a server that runs with its environment."""
    if fault_library is None:
        pytest.skip("no C compiler (cc) to build fault.c with")
    control = Faults(fault_library, office, tmp_path / "faults")
    yield control
    control.close()


@pytest.fixture
def server(office: Path) -> Iterator[Served]:
    """A server on the office; it must still be there at the end, and go in order."""
    with Served(office) as running:
        yield running
        assert running.process.poll() is None, running.logged()[-2000:]
