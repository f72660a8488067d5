"""A runner that is killed at any moment: mail may go out twice, and is never lost."""

import asyncio

from tests.transport.conftest import Sending
from tests.transport.remote import Remote


def test_every_message_goes_out_however_often_the_runner_dies(sending: Sending) -> None:
    numbers = range(30)

    async def cut(s: Sending) -> None:
        remote = await s.remote(domain="far.test")
        remotes.append(remote)
        for number in numbers:
            s.put(f"{number}@far.test")
        while len(remote.got) < 7:
            await asyncio.sleep(0)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            if "Runner" in repr(task.get_coro()):
                task.cancel()

    async def rest(s: Sending) -> None:
        remotes.append(await s.remote(domain="far.test"))
        await s.idle()
        assert s.office.queue() == []

    remotes: list[Remote] = []
    sending.run(cut)
    left = len(sending.office.queue())
    assert left > 0
    sending.run(rest)
    # a delivery that was under way when the runner was cancelled may have come to its end
    taken = {got.rcpt[0] for remote in remotes for got in remote.got}
    assert taken == {f"RCPT TO:<{number}@far.test>" for number in numbers}
