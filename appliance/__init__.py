"""Satchel, a mail appliance for small offices."""

__version__ = "0.1.0"
