"""The version of the program; the only place."""

__version__ = "0.1.0"
