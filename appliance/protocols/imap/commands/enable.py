"""ENABLE (RFC 9051 6.3.1, RFC 5161)."""

from appliance.protocols.imap.session import Feature, Session
from appliance.protocols.imap.table import LOGGED_ON, Command, Done
from appliance.protocols.imap.tokens import Cursor


def parse(cursor: Cursor) -> list[bytes]:
    """1*(SP capability)."""
    names = []
    cursor.space()
    while True:
        names.append(cursor.atom().upper())
        if not cursor.accept(b" ") or cursor.at_end:
            break
    cursor.end()
    return names


_NAMES = {feature.value: feature for feature in Feature}
_SPELLED = {Feature.REV2: b"IMAP4rev2"}


async def run(session: Session, names: list[bytes]) -> Done:
    """Switch on what is known and not on yet; unknown names are passed over."""
    fresh: list[bytes] = []
    for name in names:
        feature = _NAMES.get(name)
        if feature is not None and feature not in session.enabled:
            if feature in (Feature.CONDSTORE, Feature.QRESYNC):
                session.enable_condstore()
            session.enable(feature)
            fresh.append(_SPELLED.get(feature, feature.value))
    session.write(b" ".join([b"ENABLED", *fresh]))
    return Done("Enabled.")


COMMAND = Command(b"ENABLE", LOGGED_ON, parse, run)
