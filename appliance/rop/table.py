"""Every ROP by its id: the one explicit table (MS-OXCROPS 2.2.2). Ids that are not served stand in
`NOT_SERVED` with the reason; a test compares both with the specification's list."""

from types import ModuleType

from appliance.rop.model import Rop
from appliance.rop.ops import (
    abort,
    abort_submit,
    address_types,
    collapse_row,
    copy_folder,
    create_bookmark,
    create_folder,
    delete_folder,
    delete_messages,
    empty_folder,
    expand_row,
    fast_transfer_source_copy,
    fast_transfer_source_get_buffer,
    find_row,
    free_bookmark,
    get_collapse_state,
    get_contents_table,
    get_hierarchy_table,
    get_status,
    logon,
    move_copy_messages,
    move_folder,
    open_folder,
    query_columns_all,
    query_position,
    query_rows,
    register_notification,
    release,
    reset_table,
    restrict,
    search_criteria,
    seek_row,
    seek_row_bookmark,
    seek_row_fractional,
    set_collapse_state,
    set_columns,
    sort_table,
    spooler,
    synchronization_configure,
    synchronization_get_transfer_state,
    synchronization_open_collector,
    synchronization_upload_state_stream,
)

MODULES: tuple[ModuleType, ...] = (
    abort,
    abort_submit,
    address_types,
    collapse_row,
    copy_properties,
    create_attachment,
    create_bookmark,
    create_message,
    delete_attachment,
    delete_properties,
    expand_row,
    fast_transfer_source_copy,
    fast_transfer_source_get_buffer,
    find_row,
    free_bookmark,
    get_attachment_table,
    get_collapse_state,
    get_contents_table,
    get_hierarchy_table,
    get_names_from_property_ids,
    get_properties_all,
    get_properties_list,
    get_properties_specific,
    get_property_ids_from_names,
    get_status,
    get_valid_attachments,
    logon,
    message_status,
    modify_recipients,
    open_attachment,
    open_embedded_message,
    open_folder,
    open_message,
    query_columns_all,
    query_named_properties,
    query_position,
    query_rows,
    read_recipients,
    register_notification,
    release,
    reload_cached_information,
    remove_all_recipients,
    reset_table,
    restrict,
    save_changes_attachment,
    save_changes_message,
    seek_row,
    seek_row_bookmark,
    seek_row_fractional,
    set_collapse_state,
    set_columns,
    set_message_read_flag,
    set_properties,
    set_read_flags,
    sort_table,
    spooler,
    submit_message,
    synchronization_configure,
    synchronization_get_transfer_state,
    synchronization_open_collector,
    synchronization_upload_state_stream,
)


def _rows() -> dict[int, Rop]:
    rows: dict[int, Rop] = {}
    for module in MODULES:
        found = module.ROPS if hasattr(module, "ROPS") else (module.ROP,)
        for row in found:
            assert row.id not in rows, f"two ROPs {row.id:#x}"
            rows[row.id] = row
    return rows


ROPS = _rows()

NOT_SERVED: dict[int, str] = {}
