"""Tests mirror the layout of `appliance/`."""
