"""Where the reference data lies that tests compare against but the checkout does not hold.

SHARED is the folder that the environment variable SATCHEL_SHARED names, else a folder `shared` beside a
parent of the checkout, else None. Tests that need it call `shared_path`, which skips with the reason.
"""

import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[1]


def _find() -> Path | None:
    named = os.environ.get("SATCHEL_SHARED")
    if named:
        return Path(named) if Path(named).is_dir() else None
    for parent in _ROOT.parents:
        candidate = parent / "shared"
        if (candidate / "spec").is_dir():
            return candidate
    return None


SHARED = _find()


def shared_path(*parts: str) -> Path:
    """A path under the reference data; the calling test is skipped when it is not there."""
    if SHARED is None:
        pytest.skip("no reference data: set SATCHEL_SHARED to its folder")
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the reference data has no {'/'.join(parts)}")
    return path
