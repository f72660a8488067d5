"""Tests of the mailbox operations."""
