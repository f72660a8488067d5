"""Runs `appliance` commands for the console: each in a process of its own, as a person would type them.

So the console has no second way of doing anything, a fault or a long run stays outside of the server, and the
store is opened once in each process. Output is bounded; a command that takes too long, or whose console went
away, is ended.
"""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from appliance.panel.dialogue import Result, Run
from appliance.panel.machine import Machine

MAX_OUTPUT = 256 << 10
GRACE = 5.0
"""Seconds between asking a command to end and ending it."""

FAILED = 1


async def run(data: Path, wanted: Run) -> Result:
    """Run a command to its end. Never raises but for cancellation."""
    command = [sys.executable, "-m", "appliance.cli", "--data", str(data), *wanted.arguments]
    environment = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED}
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
    except OSError as error:
        return Result(FAILED, "", f"the command could not be started: {error}")
    try:
        async with asyncio.timeout(wanted.seconds):
            result = await _talk(process, wanted.stdin)
    except TimeoutError:
        return Result(FAILED, "", f"it took longer than {wanted.seconds:.0f} seconds and was ended")
    finally:
        if process.returncode is None:
            await _end(process)
    if result.code == -signal.SIGTERM and _ends_the_machine(wanted) and Machine(data).ending():
        return Result(0, result.output)  # what it asked for has come before it could say so
    return result


def _ends_the_machine(wanted: Run) -> bool:
    return wanted.arguments[:1] in _ENDING or "--reboot" in wanted.arguments


_ENDING = (("reboot",), ("shutdown",), ("factory-reset",))
_NOT_PASSED = ("APPLIANCE_TRACEBACK", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID")


async def _talk(process: asyncio.subprocess.Process, stdin: str) -> Result:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with contextlib.suppress(OSError):
        process.stdin.write(stdin.encode("utf-8", "replace") + b"\n" * bool(stdin))
        await process.stdin.drain()
    process.stdin.close()
    output, errors = await asyncio.gather(_read(process.stdout), _read(process.stderr))
    code = await process.wait()
    reason = " ".join(errors.removeprefix("appliance: ").split())
    return Result(code, output, reason or ("it failed without a word" if code else ""))


async def _read(stream: asyncio.StreamReader) -> str:
    """What a stream says, as far as it is kept; the rest is read all the same."""
    kept = bytearray()
    while data := await stream.read(16 << 10):
        kept += data[: max(MAX_OUTPUT - len(kept), 0)]
    return kept.decode("utf-8", "replace")


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(GRACE):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
