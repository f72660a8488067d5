"""The mailbox endpoint, over the wire."""

from appliance.rop.ops import open_folder
from appliance.store.mailboxes import Special
from tests.mapiclient import MapiClient

INBOX = open_folder.Request(Special.INBOX, open_folder.OpenModeFlags(0))


def test_log_on_and_open_a_folder(client: MapiClient) -> None:
    assert client.display_name == "Anna Ärmel"
    handle = client.logon()
    assert client.do(open_folder.ROP, INBOX, on=handle).code == 0
    client.disconnect()
