"""Damaged and absurd inputs for the real commands: `python tests/fuzz --help`."""
