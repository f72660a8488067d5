"""MIME to message object and back, as MS-OXCMAIL says."""
