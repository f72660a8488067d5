"""The button's gestures, with a clock that the test turns."""

import pytest

from appliance.panel.button import Button, Gesture
from appliance.panel.light import Answer


def press(button: Button, at: float, seconds: float) -> Gesture | None:
    assert button.change(True, at) is None
    return button.change(False, at + seconds)


@pytest.mark.parametrize(
    ("seconds", "gesture"),
    [
        (0.01, None),
        (0.1, Gesture.SHOW_ADDRESS),
        (1.4, Gesture.SHOW_ADDRESS),
        (2.5, None),
        (4.0, Gesture.SHUT_DOWN),
        (14.9, Gesture.SHUT_DOWN),
        (15.0, None),
        (61.0, None),
    ],
)
def test_one_press(seconds: float, gesture: Gesture | None) -> None:
    assert press(Button(), 100.0, seconds) is gesture


def test_a_reset_needs_three_short_presses_more() -> None:
    button = Button()
    assert press(button, 0, 16) is None
    assert button.hint(16.5) is Answer.CONFIRM
    assert press(button, 17, 0.2) is None
    assert press(button, 18, 0.01) is None, "bouncing is no press"
    assert press(button, 19, 0.2) is None
    assert press(button, 20, 0.2) is Gesture.FACTORY_RESET
    assert button.hint(21) is None
    assert press(button, 22, 0.2) is Gesture.SHOW_ADDRESS


def test_a_reset_is_forgotten_in_time() -> None:
    button = Button()
    press(button, 0, 16)
    press(button, 17, 0.2)
    press(button, 18, 0.2)
    assert press(button, 40, 0.2) is None
    assert press(button, 41, 0.2) is Gesture.SHOW_ADDRESS


def test_forgetting_needs_no_press() -> None:
    button = Button()
    press(button, 0, 16)
    assert button.hint(31.5) is None
    assert press(button, 40, 0.2) is Gesture.SHOW_ADDRESS


def test_a_long_press_takes_a_reset_back() -> None:
    button = Button()
    press(button, 0, 16)
    assert press(button, 17, 5) is None, "not even a shutdown"
    assert [press(button, 30 + n, 0.2) for n in range(3)] == [Gesture.SHOW_ADDRESS] * 3


def test_the_lights_answer_while_it_is_held() -> None:
    button = Button()
    button.change(True, 0)
    hints = [button.hint(now) for now in (0.5, 3.9, 4.0, 14.9, 15.0, 59.0, 60.0)]
    assert hints == [None, None, Answer.SHUTDOWN, Answer.SHUTDOWN, Answer.RESET, Answer.RESET, None]


def test_a_button_that_is_stuck_at_the_start_does_nothing() -> None:
    button = Button(down=True)
    assert button.hint(20) is None
    assert button.change(False, 20) is None
    assert press(button, 30, 0.5) is Gesture.SHOW_ADDRESS


def test_repeated_reports_change_nothing() -> None:
    button = Button()
    assert button.change(False, 1) is None
    button.change(True, 2)
    button.change(True, 7)
    assert button.change(False, 2.5) is Gesture.SHOW_ADDRESS
