"""Every ROP by its id: the one explicit table (MS-OXCROPS 2.2.2). Ids that are not served stand in
`NOT_SERVED` with the reason; a test compares both with the specification's list."""

from types import ModuleType

from appliance.rop.model import Rop
from appliance.rop.ops import (
    abort_submit,
    address_types,
    fast_transfer_source_copy,
    fast_transfer_source_get_buffer,
    logon,
    open_folder,
    register_notification,
    release,
    spooler,
    synchronization_configure,
    synchronization_get_transfer_state,
    synchronization_open_collector,
    synchronization_upload_state_stream,
)

_MODULES: tuple[ModuleType, ...] = (
    abort_submit,
    address_types,
    fast_transfer_source_copy,
    fast_transfer_source_get_buffer,
    logon,
    open_folder,
    register_notification,
    release,
    spooler,
    synchronization_configure,
    synchronization_get_transfer_state,
    synchronization_open_collector,
    synchronization_upload_state_stream,
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
