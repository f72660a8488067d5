"""The C scanner under AddressSanitizer and UndefinedBehaviorSanitizer over mutated messages."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.formats.mime.corpus import AWKWARD, real_files

NATIVE = Path(__file__).resolve().parents[3] / "native"
ROUNDS = 40
MAX_SEED = 30_000


@pytest.mark.slow
def test_fuzz_under_sanitizers(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    program = tmp_path / "fuzz"
    built = subprocess.run(
        [compiler, "-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-DSATCHEL_FUZZ_MAIN",
         "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-o", str(program),
         str(NATIVE / "mime" / "fuzz.c"), str(NATIVE / "mime" / "scan.c")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "cannot find" in built.stderr and "asan" in built.stderr:
        pytest.skip("no sanitizer libraries")
    assert built.returncode == 0, built.stderr
    seeds: list[str] = []
    for number, data in enumerate([*AWKWARD.values(), *(path.read_bytes() for path in real_files())]):
        if len(data) <= MAX_SEED:
            path = tmp_path / f"seed{number}"
            path.write_bytes(bytes((number & 0xFF,)) + data)
            seeds.append(str(path))
    run = subprocess.run(
        [str(program), str(ROUNDS), "7", *seeds], capture_output=True, text=True, check=False, timeout=300
    )
    assert run.returncode == 0, run.stderr[-4000:]
