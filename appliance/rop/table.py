"""Every ROP by its id: the one explicit table (MS-OXCROPS 2.2.2). Ids that are not served stand in
`NOT_SERVED` with the reason; a test compares both with the specification's list."""

from types import ModuleType

from appliance.rop.model import Rop
from appliance.rop.ops import logon, open_folder, register_notification, release

_MODULES: tuple[ModuleType, ...] = (
    logon,
    open_folder,
    register_notification,
    release,
)


def _rows() -> dict[int, Rop]:
    rows: dict[int, Rop] = {}
    for module in _MODULES:
        found = module.ROPS if hasattr(module, "ROPS") else (module.ROP,)
        for row in found:
            assert row.id not in rows, f"two ROPs {row.id:#x}"
            rows[row.id] = row
    return rows


ROPS = _rows()

NOT_SERVED: dict[int, str] = {}
