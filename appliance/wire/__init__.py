"""Bounds-checked cursors, declarative records, decode errors and limits: the floor of every codec."""
