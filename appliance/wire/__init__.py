"""Bounds-checked cursors, declarative records, decode errors and limits."""
