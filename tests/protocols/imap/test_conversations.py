"""Every script of tests/conversations/imap against our server, or against the one that the environment names.

SATCHEL_IMAP_SERVER=host:port with SATCHEL_IMAP_USERS=one,two and SATCHEL_IMAP_PASSWORD runs them against
another server (its mailboxes must be empty and are left full).
"""

import os
from pathlib import Path

import pytest

from appliance.store.store import Store
from tests.protocols.imap.conversation import Conversation
from tests.protocols.imap.office import PASSWORD, Talk, close_office, open_office

SCRIPTS = sorted((Path(__file__).parents[2] / "conversations" / "imap").glob("*.txt"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_conversation(script: Path, store: Store) -> None:
    server = os.environ.get("SATCHEL_IMAP_SERVER")
    if server:
        if script.stem.startswith("ours-"):
            pytest.skip("a script of what only our server promises")
        host, _, port = server.partition(":")
        users = os.environ.get("SATCHEL_IMAP_USERS", "alice,bob").split(",")
        names = {
            "user": f"{users[0]}-{script.stem}",
            "other": users[1],
            "password": os.environ.get("SATCHEL_IMAP_PASSWORD", "password"),
        }
        Conversation(lambda: Talk(int(port), host), names).run(script.read_text())
        return
    office = open_office(store)
    try:
        names = {"user": "alice", "other": "bob", "password": f'"{PASSWORD}"'}
        Conversation(lambda: Talk(office.port), names).run(script.read_text())
    finally:
        close_office(office)
