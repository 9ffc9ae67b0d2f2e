"""Threads: how they hand things on, belong together, are watched and are told to stop."""
