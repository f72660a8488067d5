"""The language of light: truthful, and told apart by rhythm alone."""

import itertools
from pathlib import Path

import pytest

from appliance.net.health import Condition, Health, Problem, Stage, State, condition
from appliance.panel.light import DARK, SIGNS, Answer, levels, reference, until_next

THREE = {"green": 17, "amber": 27, "red": 22}
STATES = list(Condition)
WELL = Health(State.OK, ())


def seen(shown: Condition | Answer, lights: dict[str, int]) -> list[tuple[float, ...]]:
    """What an eye sees in twelve seconds, looking twenty times a second."""
    return [tuple(levels(shown, lights, tick / 20).values()) for tick in range(240)]


@pytest.mark.parametrize("lights", [{"only": 17}, THREE])
def test_every_condition_looks_different(lights: dict[str, int]) -> None:
    views = {shown: seen(shown, lights) for shown in STATES}
    for one, other in itertools.combinations(STATES, 2):
        assert views[one] != views[other], (one, other)


def test_the_rhythm_alone_is_enough() -> None:
    """With colours mixed up, every pair of conditions still differs, but for the two that do not move."""
    rhythms = {shown: [max(view) for view in seen(shown, {"only": 1})] for shown in STATES}
    for one, other in itertools.combinations(STATES, 2):
        assert rhythms[one] != rhythms[other], (one, other)


@pytest.mark.parametrize("shown", [*Condition, *Answer])
def test_nothing_flashes_more_than_three_times_a_second(shown: Condition | Answer) -> None:
    for rhythm in (SIGNS[shown].only, *SIGNS[shown].three.values()):
        flashes = sum(1 for step in rhythm if step.level > 0)
        assert flashes == 1 or flashes / sum(step.seconds for step in rhythm) <= 3
        assert all(step.seconds >= 0.2 for step in rhythm)


def test_trouble_is_red_and_well_is_green() -> None:
    assert levels(Condition.TROUBLE, THREE, 0.1) == {"green": 0, "amber": 0, "red": 1}
    assert levels(Condition.TROUBLE, THREE, 0.3) == {"green": 0, "amber": 0, "red": 0}
    assert levels(Condition.WELL, THREE, 77.7) == {"green": 1, "amber": 0, "red": 0}
    assert SIGNS[Condition.UNPLUG].only == DARK


@pytest.mark.parametrize("shown", [*Condition, *Answer])
def test_looking_when_told_to_misses_no_change(shown: Condition | Answer) -> None:
    now = 0.0
    while now < 6:
        wait = until_next(shown, now)
        assert levels(shown, THREE, now + wait * 0.99) == levels(shown, THREE, now)
        now += wait


@pytest.mark.parametrize(
    ("stage", "state", "moving", "shown"),
    [
        (Stage.BOOTING, State.OK, False, Condition.BOOTING),
        (Stage.SETUP, State.FAILING, False, Condition.SETUP),
        (Stage.RUNNING, State.OK, False, Condition.WELL),
        (Stage.RUNNING, State.OK, True, Condition.MOVING),
        (Stage.RUNNING, State.WARNING, True, Condition.ATTENTION),
        (Stage.RUNNING, State.FAILING, True, Condition.TROUBLE),
        (Stage.UPDATING, State.OK, True, Condition.UPDATING),
        (Stage.UNPLUG, State.OK, False, Condition.UNPLUG),
    ],
)
def test_what_is_shown(stage: Stage, state: State, moving: bool, shown: Condition) -> None:
    problems = () if state is State.OK else (Problem("x", state, "x"),)
    assert condition(stage, Health(state, problems), moving=moving) is shown


def test_the_manual_has_every_sign_and_is_generated() -> None:
    rows = [line for line in reference().splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(Condition) + len(Answer)
    page = Path(__file__).resolve().parents[2] / "docs" / "lights.md"
    assert page.read_text().rstrip() == reference().rstrip(), "run `make docs`"
