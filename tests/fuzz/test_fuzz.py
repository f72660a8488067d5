"""Every target on its seeds, on what was found before and on a few mutations; and the fuzzer itself."""

import pytest

from appliance.wire.errors import DecodeError
from tests.fuzz.runner import Target, fuzz, run_one, stored
from tests.fuzz.targets import TARGETS

RUNS = 300


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_undeclared_comes_out(target: Target) -> None:
    _, finding = fuzz(target, 0, seed=1, runs=RUNS)
    assert finding is None, finding


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_was_found_stays_mended(target: Target) -> None:
    for data in stored(target):
        assert run_one(target, data)[1] is None


def test_names_are_unique() -> None:
    names = [target.name for target in TARGETS]
    assert len(set(names)) == len(names)


def test_the_fuzzer_finds_an_undeclared_error() -> None:
    def parse(data: bytes) -> None:
        if data[:1] == b"a" and len(data) > 3 and data[3] == 0xFF:
            raise KeyError("undeclared")
        raise DecodeError("no", 0)

    runs, finding = fuzz(Target("sample", parse, lambda: [b"abcd"]), 0, seed=3, runs=100_000)
    assert finding is not None
    assert finding.data[3] == 0xFF
    assert runs < 100_000


def test_the_fuzzer_finds_endless_work() -> None:
    def spin(_data: bytes) -> None:
        while True:
            pass

    _, finding = run_one(Target("sample", spin, max_seconds=0.05), b"")
    assert finding is not None
    assert "processor time" in finding.problem
