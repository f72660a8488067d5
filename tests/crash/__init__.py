"""Crash tests: a process is killed, or its power is cut, and what it had acknowledged is looked for."""
