"""The ROPs: one module each, or one for a few that differ in a number. Each stands in `rop/table.py`."""
