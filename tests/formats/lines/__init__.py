"""Tests of the lines on the wire."""
