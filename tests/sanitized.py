"""Runs the fuzz driver of a native codec under AddressSanitizer and UndefinedBehaviorSanitizer."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

NATIVE = Path(__file__).resolve().parents[1] / "native"


def fuzz_driver(folder: Path, sources: Sequence[str], seeds: Sequence[bytes], rounds: int) -> None:
    """Builds `sources` (below native/) with their driver in `folder` and gives it the seeds, each mutated
    `rounds` times. Skips without compiler or sanitizers."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    program = folder / "fuzz"
    built = subprocess.run(
        [compiler, "-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-DSATCHEL_FUZZ_MAIN",
         "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-o", str(program),
         *(str(NATIVE / source) for source in sources), "-lm"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "cannot find" in built.stderr and "asan" in built.stderr:
        pytest.skip("no sanitizer libraries")
    assert built.returncode == 0, built.stderr
    paths: list[str] = []
    for number, data in enumerate(seeds):
        path = folder / f"seed{number}"
        path.write_bytes(data)
        paths.append(str(path))
    run = subprocess.run(
        [str(program), str(rounds), "7", *paths], capture_output=True, text=True, check=False, timeout=300
    )
    assert run.returncode == 0, run.stderr[-4000:]
