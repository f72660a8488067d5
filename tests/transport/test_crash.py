"""A runner that is killed at any moment: mail may go out twice, and is never lost."""

import asyncio

from tests.transport.conftest import Sending


def test_every_message_goes_out_however_often_the_runner_dies(sending: Sending) -> None:
    numbers = range(30)

    async def cut(s: Sending) -> None:
        remote = await s.remote(domain="far.test")
        for number in numbers:
            s.put(f"{number}@far.test")
        while len(remote.got) < 7:
            await asyncio.sleep(0)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            if "Runner" in repr(task.get_coro()):
                task.cancel()
        taken.update(got.rcpt[0] for got in remote.got)

    async def rest(s: Sending) -> None:
        remote = await s.remote(domain="far.test")
        await s.idle()
        taken.update(got.rcpt[0] for got in remote.got)
        assert s.office.queue() == []

    taken: set[str] = set()
    sending.run(cut)
    left = len(sending.office.queue())
    assert left > 0
    sending.run(rest)
    assert taken == {f"RCPT TO:<{number}@far.test>" for number in numbers}
