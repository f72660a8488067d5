"""The judgement of health."""

from dataclasses import replace

import pytest

from appliance.net.health import Facts, State, judge

WELL = Facts(running=True, store_failed=False, writer_moves=True, free=1000, reserve=10, certificate_days=400)


@pytest.mark.parametrize(
    ("change", "state", "kinds"),
    [
        ({}, State.OK, []),
        ({"certificate_days": None}, State.OK, []),
        ({"free": 39}, State.WARNING, ["room"]),
        ({"free": 10}, State.FAILING, ["full"]),
        ({"store_failed": True, "writer_moves": False}, State.FAILING, ["device"]),
        ({"writer_moves": False}, State.FAILING, ["writer"]),
        ({"running": False, "certificate_days": 5}, State.FAILING, ["stopped", "certificate"]),
        ({"certificate_days": -1}, State.FAILING, ["certificate"]),
    ],
)
def test_judgement(change: dict[str, object], state: State, kinds: list[str]) -> None:
    health = judge(replace(WELL, **change))  # type: ignore[arg-type]
    assert health.state is state
    assert [problem.kind for problem in health.problems] == kinds
    assert health.as_json()["state"] == state.name.lower()
