"""MS-OXCSTOR 3.2.3: every store has a replica GUID of its own, and another one after a restore."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.conformance.client import Mapi
from tests.conformance.office import Office, Person
from tests.conformance.store_rops import (
    INBOX,
    MID,
    get_contents_table,
    id_from_long_term_id,
    long_term_id_from_id,
    private,
    public,
)
from tests.served import PASSWORD, Served, command


@pytest.mark.covers("MS-OXCSTOR_R778", "MS-OXCSTOR_R779")
def test_every_store_has_its_own_replica(anna: Person, ben: Person, mapi: Mapi) -> None:
    with anna.mapi() as first, ben.mapi() as second:
        guids = {private(first, anna).replguid, private(second, ben).replguid, public(mapi).replguid}
    assert len(guids) == 3
    assert bytes(16) not in guids


@pytest.mark.slow
@pytest.mark.covers("MS-OXCSTOR_R780")
def test_a_restored_mailbox_is_another_replica(tmp_path: Path) -> None:
    office = Office(tmp_path / "before")
    with office.served:
        anna = office.person()
        with anna.mapi() as client:
            store = private(client, anna)
            before = store.replguid
            mid = store.message(store.open(store.folders[INBOX]), store.folders[INBOX])
            long_term = store.call(long_term_id_from_id(mid)).fields.take(24)
        office.command("backup", str(tmp_path / "backup"))
    data = tmp_path / "after"
    assert command(data, "restore", str(tmp_path / "backup")).returncode == 0
    assert command(data, "user", "passwd", anna.address, "--password", PASSWORD).returncode == 0
    with Served(data) as served:
        anna = replace(anna, port=served.offset + 80)
        with anna.mapi() as client:
            store = private(client, anna)
            assert store.replguid != before
            inbox = store.open(store.folders[INBOX])
            ((kept,),) = store.table(get_contents_table(), inbox, MID)
            answer = store.call(id_from_long_term_id(long_term))
            assert answer.fields.number("Q") & 0xFFFF != store.replid, "an old id is of another replica now"
            made = store.message(inbox, store.folders[INBOX])
            assert made >> 16 != mid >> 16, "no number is given twice"
            assert int(str(kept)) & 0xFFFF == store.replid
