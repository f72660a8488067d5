"""impacket's NSPI client against the address book, through NDR both ways."""

from typing import Any

import pytest
from impacket.dcerpc.v5 import nspi
from impacket.dcerpc.v5.dtypes import NULL

from appliance.addressbook import templates
from appliance.addressbook.stat import CP_TELETEX
from appliance.directory.links import Link
from appliance.mailbox.actor import Actor
from appliance.mapi import errors, tags
from tests.addressbook.conftest import GAL, Office
from tests.addressbook.rpc import Connection, Failed, numbers
from tests.addressbook.test_edits import targets

NAME = tags.PidTagDisplayName


class Client:
    """A bound client of impacket's."""

    def __init__(self, office: Office) -> None:
        self.dce: Any = Connection(office.book, Actor(office.alan.id, office.alan.mailbox))
        answer = nspi.hNspiBind(self.dce)
        self.handle = answer["contextHandle"]
        self.guid = answer["pServerGuid"]

    def stat(self, **fields: int) -> Any:
        made = nspi.STAT()
        made["CodePage"], made["SortLocale"] = CP_TELETEX, 0x409
        for name, value in fields.items():
            made[name] = value
        return made


@pytest.fixture
def client(office: Office) -> Client:
    return Client(office)


@pytest.mark.covers(
    "MS-OXNSPI_R1669", "MS-OXNSPI_R1672", "MS-OXNSPI_R413", "MS-OXNSPI_R1592", "MS-OXNSPI_R675",
    "MS-OXNSPI_R703", "MS-OXNSPI_R1562", "MS-OXNSPI_R137", "MS-OXNSPI_R677", "MS-OXNSPI_R707",
    "MS-OXNSPI_R716",
)  # fmt: skip
def test_bind_and_unbind(office: Office, client: Client) -> None:
    assert client.guid == office.book.guid
    answer = nspi.hNspiUnbind(client.dce, client.handle)
    assert answer["ErrorCode"] == 1
    assert answer["contextHandle"].getData() == bytes(20)
    assert nspi.hNspiUnbind(client.dce, client.handle)["ErrorCode"] == 2
    bad = client.stat(CodePage=4711)
    with pytest.raises(Failed, match="0x8004011E"):
        nspi.hNspiBind(client.dce, bad)


@pytest.mark.covers(
    "MS-OXNSPI_R1674", "MS-OXNSPI_R729", "MS-OXNSPI_R1680", "MS-OXNSPI_R932", "MS-OXNSPI_R1591",
)  # fmt: skip
def test_browsing(office: Office, client: Client) -> None:
    """What impacket's own example does: the hierarchy, then the rows of each container."""
    table = nspi.hNspiGetSpecialTable(client.dce, client.handle, pStat=client.stat())
    rows = nspi.simplifyPropertyRowSet(table["ppRows"])
    assert rows[0][NAME] == "Global Address List"
    assert str(rows[0][tags.PidTagEntryId]) == "/"
    found = nspi.hNspiQueryRows(client.dce, client.handle, Count=4, pPropTags=[NAME, tags.PidTagEntryId])
    names = [row[NAME] for row in nspi.simplifyPropertyRowSet(found["ppRows"])]
    assert names == list(GAL[:4])
    assert (found["pStat"]["NumPos"], found["pStat"]["TotalRecs"]) == (4, len(GAL))
    mids = [office.zola.id, office.ada.id]
    listed = nspi.hNspiQueryRows(client.dce, client.handle, Count=9, pPropTags=[NAME], lpETable=mids)
    assert [row[NAME] for row in nspi.simplifyPropertyRowSet(listed["ppRows"])] == [
        "Émile Zola",
        "Ada Lovelace",
    ]
    plain = nspi.hNspiQueryRows(
        client.dce, client.handle, pStat=client.stat(CurrentRec=office.ada.id), Count=1
    )
    assert nspi.simplifyPropertyRow(plain["ppRows"]["aRow"][0])[0x3001001E] == "Ada Lovelace"
    with pytest.raises(Failed, match="0x80040405"):
        nspi.hNspiQueryRows(client.dce, client.handle, ContainerID=99, pPropTags=[NAME])


@pytest.mark.covers(
    "MS-OXNSPI_R1675", "MS-OXNSPI_R777", "MS-OXNSPI_R1868", "MS-OXNSPI_R1871", "MS-OXNSPI_R1872",
)  # fmt: skip
def test_update_stat(client: Client) -> None:
    for given in (0, 5, -7):
        answer = nspi.hNspiUpdateStat(client.dce, client.handle, client.stat(Delta=3), given)
        assert (answer["plDelta"], answer["pStat"]["NumPos"], answer["ErrorCode"]) == (3, 3, 0)
    silent = nspi.hNspiUpdateStat(client.dce, client.handle, client.stat(Delta=3), NULL)
    assert silent["plDelta"] in (b"", "")
    assert nspi.hNspiUpdateStat(client.dce, client.handle, client.stat(ContainerID=9))["ErrorCode"] == (
        errors.ecInvalidBookmark
    )


@pytest.mark.covers(
    "MS-OXNSPI_R1677", "MS-OXNSPI_R811", "MS-OXNSPI_R1678", "MS-OXNSPI_R837", "MS-OXNSPI_R1679",
    "MS-OXNSPI_R870", "MS-OXNSPI_R138", "MS-OXNSPI_R139", "MS-OXNSPI_R140", "MS-OXNSPI_R1563",
    "MS-OXNSPI_R141", "MS-OXNSPI_R143", "MS-OXNSPI_R191",
)  # fmt: skip
def test_properties(office: Office, client: Client) -> None:
    columns = numbers(nspi.hNspiQueryColumns(client.dce, client.handle)["ppColumns"]["aulPropTag"])
    assert NAME in columns
    listed = nspi.hNspiGetPropList(client.dce, client.handle, office.ada.id)["ppOutMIds"]
    assert listed["cValues"] == len(listed["aulPropTag"])
    assert 0x3001001E in numbers(listed["aulPropTag"])
    wanted = [NAME, tags.PidTagEmsAbProxyAddresses, tags.PidTagCompanyName]
    row = nspi.hNspiGetProps(client.dce, client.handle, CurrentRec=office.ada.id, pPropTags=wanted)
    found = nspi.simplifyPropertyRow(row["ppRows"])
    assert found[NAME] == "Ada Lovelace"
    assert found[tags.PidTagEmsAbProxyAddresses] == ["SMTP:ada@example.test", "smtp:al@example.test"]
    assert row["ErrorCode"] == 0x00040380
    with pytest.raises(Failed, match="0x80004005"):
        nspi.hNspiGetPropList(client.dce, client.handle, 5)


@pytest.mark.covers(
    "MS-OXNSPI_R1685", "MS-OXNSPI_R1252", "MS-OXNSPI_R1688", "MS-OXNSPI_R1356", "MS-OXNSPI_R1689",
    "MS-OXNSPI_R1407", "MS-OXNSPI_R1684", "MS-OXNSPI_R1363", "MS-OXNSPI_R1364", "MS-OXNSPI_R1365",
    "MS-OXNSPI_R1220",
)  # fmt: skip
def test_names(office: Office, client: Client) -> None:
    dns = [office.ada.legacy_dn, "/o=nobody"]
    mids = nspi.hNspiDNToMId(client.dce, client.handle, dns)["ppOutMIds"]
    assert numbers(mids["aulPropTag"]) == [office.ada.id, 0]
    for resolve in (nspi.hNspiResolveNames, nspi.hNspiResolveNamesW):
        answer = resolve(client.dce, client.handle, pPropTags=[NAME], paStr=["zola", "al", "x"])
        assert numbers(answer["ppMIds"]["aulPropTag"]) == [2, 1, 0]
        assert [row[NAME] for row in nspi.simplifyPropertyRowSet(answer["ppRows"])] == ["Émile Zola"]
    for reserved in (0, 7):  # not what 3.1.4.1.16 allows, and no matter
        made = nspi.NspiResolveNames()
        made["hRpc"], made["Reserved"], made["pStat"], made["pPropTags"] = (
            client.handle,
            reserved,
            client.stat(),
            NULL,
        )
        made["paStr"]["Count"] = 0
        assert client.dce.request(made)["ErrorCode"] == 0
    request = nspi.NspiCompareMIds()
    request["hRpc"], request["pStat"] = client.handle, client.stat()
    request["MId1"], request["MId2"] = office.zola.id, office.ada.id
    assert client.dce.request(request)["plResult"] == 1
    request["MId2"] = 5
    with pytest.raises(Failed, match="0x80004005"):
        client.dce.request(request)


@pytest.mark.covers("MS-OXNSPI_R1690", "MS-OXNSPI_R1459")
def test_templates(client: Client) -> None:
    answer = nspi.hNspiGetTemplateInfo(client.dce, client.handle, NULL, 0x409, 0, 1252, 1)
    (data,) = (b"".join(prop["Value"]["bin"]["lpb"]) for prop in answer["ppData"]["lpProps"])
    assert templates.parse(data, 1252)[0].text == "General"
    with pytest.raises(Failed, match="0x8004011F"):
        nspi.hNspiGetTemplateInfo(client.dce, client.handle, NULL, 0x409, 99, 1252, 1)


@pytest.mark.covers("MS-OXNSPI_R1687", "MS-OXNSPI_R1318", "MS-OXNSPI_R661")
def test_members(office: Office, client: Client) -> None:
    grace = nspi.PermanentEntryID()
    grace["ProviderUID"] = nspi.GUID_NSPI
    grace["DisplayType"], grace["DistinguishedName"] = 0, office.grace.legacy_dn
    member = tags.PidTagAddressBookMember
    nspi.hNspiModLinkAtt(client.dce, client.handle, 0, member, office.staff.id, [grace])
    assert "Grace Hopper" in targets(office, Link.MEMBER, office.staff)
    nspi.hNspiModLinkAtt(client.dce, client.handle, 1, member, office.staff.id, [grace])
    assert "Grace Hopper" not in targets(office, Link.MEMBER, office.staff)
    with pytest.raises(Failed, match="0x80070005"):
        nspi.hNspiModLinkAtt(client.dce, client.handle, 0, member, office.ada.id, [grace])
