"""A stand-in for an RPC connection: impacket's NSPI client on one side, a session on the other.

`Connection.request` takes impacket's request object, reads its bytes again, calls the session, and gives
impacket's response object read from bytes too: everything goes through NDR both ways.
"""

from typing import Any

from impacket.dcerpc.v5 import nspi
from impacket.dcerpc.v5.dtypes import NULL

from appliance.addressbook.rows import PropertyRow
from appliance.addressbook.session import AddressBook, Session
from appliance.addressbook.stat import Stat
from appliance.mailbox.actor import Actor
from appliance.mapi.errors import MapiError
from tests.addressbook import ndr

STAT_FIELDS = (
    "SortType", "ContainerID", "CurrentRec", "Delta", "NumPos", "TotalRecs", "CodePage", "TemplateLocale",
    "SortLocale",
)  # fmt: skip


class Failed(Exception):
    """A method's return value other than success, as impacket's own connection raises it."""

    def __init__(self, code: int) -> None:
        super().__init__(f"0x{code:08X}")
        self.code = code


class Connection:
    """One RPC connection of a user."""

    def __init__(self, book: AddressBook, actor: Actor) -> None:
        self.book, self.actor = book, actor
        self.sessions: dict[bytes, Session] = {}

    def request(self, call: Any, checkError: bool = True) -> Any:
        """Send a call and read its answer."""
        call = type(call)(call.getData())
        name = type(call).__name__
        response = getattr(nspi, name + "Response")()
        try:
            code = getattr(self, "_" + name)(call, response)
        except MapiError as error:
            response, code = getattr(nspi, name + "Response")(), error.code
            if "plResult" not in response.fields and "contextHandle" not in response.fields:
                self._nothing(response)
        response["ErrorCode"] = code & 0xFFFFFFFF
        answer = type(response)(response.getData())
        if checkError and answer["ErrorCode"] not in (0, 1, 0x00040380):
            raise Failed(answer["ErrorCode"])
        return answer

    def _nothing(self, response: Any) -> None:
        for name, kind in response.structure:
            if kind.__name__.startswith("P"):
                response[name] = NULL

    def _session(self, call: Any) -> Session:
        found = self.sessions.get(call["hRpc"].getData())
        if found is None:
            raise AssertionError("a context handle that nobody gave")
        return found

    def _NspiBind(self, call: Any, response: Any) -> int:
        session = self.book.bind(self.actor, call["dwFlags"], read_stat(call["pStat"]))
        response["pServerGuid"] = session.guid
        response["contextHandle"]["context_handle_uuid"] = bytes([len(self.sessions) + 1]) * 16
        self.sessions[response["contextHandle"].getData()] = session
        return 0

    def _NspiUnbind(self, call: Any, response: Any) -> int:
        session = self.sessions.pop(call["contextHandle"].getData(), None)
        return 2 if session is None else session.unbind()

    def _NspiUpdateStat(self, call: Any, response: Any) -> int:
        stat, moved = self._session(call).update_stat(read_stat(call["pStat"]))
        put_stat(response["pStat"], stat)
        response["plDelta"] = NULL if call["plDelta"] in (b"", "") else moved
        return 0

    def _NspiQueryRows(self, call: Any, response: Any) -> int:
        table = numbers(call["lpETable"]) if call["dwETableCount"] else None
        found = self._session(call).query_rows(
            call["dwFlags"], read_stat(call["pStat"]), table, call["Count"], tags(call["pPropTags"])
        )
        put_stat(response["pStat"], found.stat)
        put_rows(response["ppRows"], found.rows.rows)
        return 0

    def _NspiQueryColumns(self, call: Any, response: Any) -> int:
        put_tags(response, "ppColumns", self._session(call).query_columns(call["dwFlags"]))
        return 0

    def _NspiGetPropList(self, call: Any, response: Any) -> int:
        found = self._session(call).get_prop_list(call["dwFlags"], call["dwMId"], call["CodePage"])
        put_tags(response, "ppOutMIds", found)
        return 0

    def _NspiGetProps(self, call: Any, response: Any) -> int:
        found = self._session(call).get_props(
            call["dwFlags"], read_stat(call["pStat"]), tags(call["pPropTags"])
        )
        put_row(response["ppRows"], found.row)
        return found.code

    def _NspiDNToMId(self, call: Any, response: Any) -> int:
        names = [name["Data"].rstrip("\0") for name in call["pNames"]["Strings"]]
        put_tags(response, "ppOutMIds", self._session(call).dn_to_mid(names))
        return 0

    def _NspiResolveNames(self, call: Any, response: Any) -> int:
        return self._resolve(
            call, response, [one["Data"].rstrip("\0").encode() for one in call["paStr"]["Strings"]]
        )

    def _NspiResolveNamesW(self, call: Any, response: Any) -> int:
        return self._resolve(call, response, [one["Data"].rstrip("\0") for one in call["paStr"]["Strings"]])

    def _resolve(self, call: Any, response: Any, names: list[Any]) -> int:
        found = self._session(call).resolve_names(read_stat(call["pStat"]), tags(call["pPropTags"]), names)
        put_tags(response, "ppMIds", found.mids)
        put_rows(response["ppRows"], found.rows.rows)
        return 0

    def _NspiGetSpecialTable(self, call: Any, response: Any) -> int:
        version = call["lpVersion"]
        found = self._session(call).get_special_table(
            call["dwFlags"], read_stat(call["pStat"]), version if isinstance(version, int) else 0
        )
        response["lpVersion"] = found.version or 0
        put_rows(response["ppRows"], found.rows)
        return 0

    def _NspiGetTemplateInfo(self, call: Any, response: Any) -> int:
        dn = call["pDN"]
        found = self._session(call).get_template_info(
            call["dwFlags"],
            call["ulType"],
            dn.rstrip("\0") if dn else None,
            call["dwCodePage"],
            call["dwLocaleID"],
        )
        put_row(response["ppData"], found)
        return 0

    def _NspiCompareMIds(self, call: Any, response: Any) -> int:
        response["plResult"] = self._session(call).compare_mids(
            read_stat(call["pStat"]), call["MId1"], call["MId2"]
        )
        return 0

    def _NspiModLinkAtt(self, call: Any, response: Any) -> int:
        ids = [b"".join(one["lpb"]) for one in call["lpEntryIds"]["lpbin"]]
        self._session(call).mod_link_att(call["dwFlags"], call["ulPropTag"], call["dwMId"], ids).result()
        return 0


def numbers(array: Any) -> list[int]:
    """The numbers of an array that was read."""
    return [one if isinstance(one, int) else one["Data"] for one in array]


def read_stat(value: Any) -> Stat:
    """A Stat from impacket's STAT."""
    return Stat(*(value[name] for name in STAT_FIELDS))


def put_stat(made: Any, stat: Stat) -> None:
    """Fill impacket's STAT."""
    for name, (field, _) in zip(STAT_FIELDS, Stat.FIELDS, strict=True):
        made[name] = getattr(stat, field)


def tags(value: Any) -> list[int] | None:
    """The tags of a PropertyTagArray_r; None for NULL."""
    return None if isinstance(value, bytes) else numbers(value["aulPropTag"])


def put_tags(response: Any, name: str, found: list[int]) -> None:
    """Fill a PropertyTagArray_r."""
    response[name]["cValues"] = len(found)
    for tag in found:
        one = nspi.DWORD()
        one["Data"] = tag
        response[name]["aulPropTag"].append(one)
    response.fields[name].fields["Data"].fields["aulPropTag"].fields["MaximumCount"] = len(found) + 1


def put_row(made: Any, row: PropertyRow) -> None:
    """Fill a PropertyRow_r."""
    made["Reserved"], made["cValues"] = 0, len(row)
    for tag, value in row:
        made["lpProps"].append(ndr.property_value(tag, value, 1252))


def put_rows(made: Any, found: list[PropertyRow]) -> None:
    """Fill a PropertyRowSet_r."""
    made["cRows"] = len(found)
    for row in found:
        made["aRow"].append(ndr.property_row(row, 1252))
