"""The table of settings: one declaration feeds the file, the command line and the reference page."""
