"""Seeds: deterministic examples of a Hypothesis strategy, and files of a folder."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

SEEDS = 40


def built(values: st.SearchStrategy[Any], encode: Callable[[Any], bytes]) -> Callable[[], list[bytes]]:
    """Encoded examples of a strategy, the same at every run."""

    def make() -> list[bytes]:
        found: list[bytes] = []

        @settings(
            max_examples=SEEDS,
            database=None,
            derandomize=True,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(values)
        def collect(value: Any) -> None:
            found.append(encode(value))

        collect()
        return found

    return make


def files(folder: Path, pattern: str = "*") -> Callable[[], Iterable[bytes]]:
    """The files of a folder; none when it is absent."""

    def read() -> list[bytes]:
        return [path.read_bytes() for path in sorted(folder.glob(pattern)) if path.is_file()]

    return read
