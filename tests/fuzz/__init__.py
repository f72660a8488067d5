"""The mutation fuzzer: `python -m tests.fuzz --seconds N [--only NAME]`. Targets stand in targets.py."""
