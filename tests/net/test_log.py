"""Log lines: one line each, nothing secret, no floods."""

import asyncio
import io
import logging

import pytest

from appliance.net import log

LOGGER = logging.getLogger("appliance.test.log")


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(log.Lines(journal=True))
    monkeypatch.setattr(LOGGER, "handlers", [handler])
    monkeypatch.setattr(LOGGER, "propagate", False)
    LOGGER.setLevel(logging.INFO)
    return lambda: stream.getvalue().splitlines()


def test_fields_are_quoted_bounded_and_redacted(lines) -> None:  # type: ignore[no-untyped-def]
    log.event(
        LOGGER,
        logging.WARNING,
        "log-in failed",
        peer="192.0.2.1",
        user='a b"\n<2>forged x=1',
        password="hunter2",
        nothing=None,
        client_response="hunter2",
        long="y" * 1000,
    )
    log.event(LOGGER, logging.DEBUG, "not written")
    (line,) = lines()
    assert line.startswith(
        '<4>warning test.log: log-in failed peer=192.0.2.1 user="a b\\"\\u000a<2>forged x=1" '
    )
    assert "hunter2" not in line
    assert "nothing" not in line
    assert len(line) < 450


def test_an_exception_is_one_line(lines) -> None:  # type: ignore[no-untyped-def]
    try:
        raise ValueError("two\nlines")
    except ValueError:
        LOGGER.exception("it failed")
    (line,) = lines()
    assert 'trace="Traceback' in line
    assert "two\\nlines" in line


def test_strangers_get_one_line_and_a_count(lines) -> None:  # type: ignore[no-untyped-def]
    async def run() -> None:
        quiet = log.Quiet(LOGGER, asyncio.get_running_loop())
        for _ in range(100):
            quiet.line(logging.INFO, "bad command", peer="192.0.2.1", command="X")
        quiet.line(logging.INFO, "bad command", peer="192.0.2.2")
        for number in range(3 * log.MAX_KEYS):
            quiet.line(logging.INFO, "bad command", peer=f"p{number}")
        before = len(lines())
        quiet.flush()
        after = lines()[before:]
        assert before <= log.MAX_KEYS + 1
        assert "<6>info test.log: bad command peer=192.0.2.1 repeated=99" in after
        assert len(after) == 2
        quiet.line(logging.INFO, "bad command", peer="192.0.2.1")
        assert len(lines()) == before + 3
        assert quiet._timer
        quiet._timer.cancel()

    asyncio.run(run())
