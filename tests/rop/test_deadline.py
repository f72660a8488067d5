"""ROPs that run apart end when their time is over, and say what they did."""

import pytest

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop import deadline
from appliance.rop.model import RopFailure
from appliance.rop.ops import open_folder
from appliance.rop.stepwise import PartialCompletion, Progress
from appliance.store.mailboxes import Special
from tests.rop.kit import Client
from tests.rop.ops import foldering
from tests.rop.ops.items import note


def folder(client: Client, on: int, fid: int) -> int:
    request = open_folder.Request(fid, open_folder.OpenModeFlags(0))
    return client.do(open_folder.ROP, request, on=on).handle


def test_a_rop_whose_time_is_over_fails_and_the_session_lives_on(client: Client) -> None:
    on = client.logon()
    mid = note(client, on)
    drafts, inbox = folder(client, on, Special.DRAFTS), folder(client, on, Special.INBOX)
    client.engine.patience = -1.0
    reply = foldering.transfer(client, drafts, inbox, mid)
    assert (reply.code, reply.body.partial_completion) == (ec.ecTimeout, False)
    client.engine.patience = deadline.LIMIT
    reply = foldering.transfer(client, drafts, inbox, mid)
    assert (reply.code, reply.body.partial_completion) == (0, False)


def test_what_was_done_before_the_end_is_told() -> None:
    progress = Progress()

    def late() -> bool:
        with deadline.limited(-1.0):
            deadline.check()
        return True

    progress.step(lambda: True)
    with pytest.raises(RopFailure) as caught:
        progress.step(late)
    assert (caught.value.code, caught.value.body) == (ec.ecTimeout, PartialCompletion(True))
    progress.attempt(late)
    assert progress.answer() == PartialCompletion(True)


def test_without_a_limit_nothing_ends() -> None:
    deadline.check()
    with deadline.limited(60.0):
        deadline.check()
    with deadline.limited(-1.0), pytest.raises(MapiError):
        deadline.check()
    deadline.check()
