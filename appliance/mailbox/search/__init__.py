"""Searching, sorting and threading a folder."""
