"""Random batches of ROPs, legal and not, against one store: nothing unforeseen happens, the store stays
whole, and nearly every ROP succeeds at least once, so that what lies behind its checks is tried too."""

import logging
import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.rop.table import ROPS
from tests.rop.bodies import _MAKERS
from tests.rop.fuzzing import LOGON_ROP, counting, episode
from tests.rop.kit import Client
from tests.transport.office import Office

BATCHES = 20
SHARE = 0.9
"""Of the ROPs succeed in a run of SEEDS episodes."""

SEEDS, LONG = 5, 300


def bad(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [record for record in caplog.records if record.levelno >= logging.ERROR]
    return [f"{record.getMessage()} {record.exc_info}" for record in found]


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 1 << 32))
def test_random_batches(
    office: Office, connect: Callable[..., Client], caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    client = connect(office.user(f"u{office.count}x{seed}@example.test"))
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        episode(office, client, random.Random(seed), BATCHES)
    assert not bad(caplog)


def test_every_rop_has_bodies() -> None:
    assert _MAKERS.keys() == ROPS.keys() - {LOGON_ROP}


@pytest.mark.slow
def test_nearly_every_rop_succeeds(
    office: Office, connect: Callable[..., Client], caplog: pytest.LogCaptureFixture
) -> None:
    succeeded: Counter[int] = Counter()
    for seed in range(SEEDS):
        client = connect(office.user(f"s{seed}@example.test"))
        client.engine.table = counting(succeeded)
        episode(office, client, random.Random(seed), LONG)
    assert not bad(caplog)
    never = [f"{id:#x}" for id in ROPS if not succeeded[id]]
    assert len(never) <= (1 - SHARE) * len(ROPS), never
