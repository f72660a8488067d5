"""Positions and rows of tables: UpdateStat, QueryRows, SeekEntries, CompareMIds, ResortRestriction."""

from appliance.addressbook.stat import MID_END_OF_TABLE, Stat
from appliance.mapi import tags
from tests.addressbook.conftest import GAL, Office, shown

NAME = tags.PidTagDisplayName


def test_rows_from_the_beginning(office: Office) -> None:
    found = office.session().query_rows(0, Stat(), None, 100, [NAME])
    assert shown(found.rows) == list(GAL)
    assert found.stat == Stat(current_rec=MID_END_OF_TABLE, num_pos=10, total_recs=10)
