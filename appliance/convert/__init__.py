"""Conversions between message objects and the formats of the world."""
