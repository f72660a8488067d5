"""The judgement of health."""

from dataclasses import replace

import pytest

from appliance.net.health import STUCK, Facts, State, expected_roles, judge, missing_roles

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
        ({"queue_age": STUCK - 1}, State.OK, []),
        ({"queue_age": STUCK}, State.WARNING, ["queue"]),
        ({"update_waiting": True}, State.WARNING, ["update"]),
        ({"damaged": True}, State.FAILING, ["damaged"]),
        ({"missing_roles": ("mta",)}, State.FAILING, ["roles"]),
        ({"missing_roles": ("mta",), "running": False}, State.FAILING, ["stopped"]),
        ({"certificate_days": -1}, State.FAILING, ["certificate"]),
    ],
)
def test_judgement(change: dict[str, object], state: State, kinds: list[str]) -> None:
    health = judge(replace(WELL, **change))  # type: ignore[arg-type]
    assert health.state is state
    assert [problem.kind for problem in health.problems] == kinds
    assert health.as_json()["state"] == state.name.lower()


def test_roles_that_should_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert expected_roles() == ()
    monkeypatch.setenv("APPLIANCE_ROLES", "mta access,web")
    processes: list[dict[str, object]] = [{"roles": ["mta"]}, {"roles": ["web", "panel"]}, {}]
    assert missing_roles(expected_roles(), processes) == ("access",)
