"""ID (RFC 2971)."""

from appliance.protocols.imap.errors import Bad
from appliance.protocols.imap.limits import MAX_ID_FIELDS, MAX_ID_KEY, MAX_ID_VALUE
from appliance.protocols.imap.session import Session
from appliance.protocols.imap.table import ANY, Command, Done
from appliance.protocols.imap.tokens import Cursor


def parse(cursor: Cursor) -> dict[bytes, bytes | None]:
    """NIL, or a list of fields and values."""
    cursor.space()
    if cursor.peek() != b"(":
        if cursor.nstring() is not None:
            raise Bad("Expected a list or NIL.")
        cursor.end()
        return {}

    def field() -> tuple[bytes, bytes | None]:
        name = cursor.string().lower()
        cursor.space()
        value = cursor.nstring()
        if len(name) > MAX_ID_KEY or len(value or b"") > MAX_ID_VALUE:
            raise Bad("A field is too long.")  # RFC 2971 3.3
        return name, value

    found = dict(cursor.items(field, limit=MAX_ID_FIELDS))
    cursor.end()
    return found


async def run(session: Session, fields: dict[bytes, bytes | None]) -> Done:
    """Tell the product's name and nothing that would help an attacker."""
    session.write(b'ID ("name" "Satchel")')
    return Done("ID completed.")


COMMAND = Command(b"ID", ANY, parse, run)
