"""Every ROP by its id: the one explicit table (MS-OXCROPS 2.2.2). Ids that are not served stand in
`NOT_SERVED` with the reason; a test compares both with the specification's list."""

from types import ModuleType

from appliance.rop.model import Rop
from appliance.rop.ops import (
    abort,
    abort_submit,
    address_types,
    collapse_row,
    create_bookmark,
    expand_row,
    fast_transfer_source_copy,
    fast_transfer_source_get_buffer,
    find_row,
    free_bookmark,
    get_collapse_state,
    get_contents_table,
    get_hierarchy_table,
    get_local_replica_ids,
    get_status,
    logon,
    open_folder,
    query_columns_all,
    query_position,
    query_rows,
    register_notification,
    release,
    reset_table,
    restrict,
    seek_row,
    seek_row_bookmark,
    seek_row_fractional,
    set_collapse_state,
    set_columns,
    set_local_replica_midset_deleted,
    sort_table,
    spooler,
    synchronization_configure,
    synchronization_get_transfer_state,
    synchronization_import_deletes,
    synchronization_import_hierarchy_change,
    synchronization_import_message_move,
    synchronization_import_read_state_changes,
    synchronization_open_collector,
    synchronization_upload_state_stream,
)

_MODULES: tuple[ModuleType, ...] = (
    abort,
    abort_submit,
    address_types,
    collapse_row,
    create_bookmark,
    expand_row,
    fast_transfer_source_copy,
    fast_transfer_source_get_buffer,
    find_row,
    free_bookmark,
    get_collapse_state,
    get_contents_table,
    get_hierarchy_table,
    get_local_replica_ids,
    get_status,
    logon,
    open_folder,
    query_columns_all,
    query_position,
    query_rows,
    register_notification,
    release,
    reset_table,
    restrict,
    seek_row,
    seek_row_bookmark,
    seek_row_fractional,
    set_collapse_state,
    set_columns,
    set_local_replica_midset_deleted,
    sort_table,
    spooler,
    synchronization_configure,
    synchronization_get_transfer_state,
    synchronization_import_deletes,
    synchronization_import_hierarchy_change,
    synchronization_import_message_move,
    synchronization_import_read_state_changes,
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
