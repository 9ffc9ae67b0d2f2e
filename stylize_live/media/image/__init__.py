"""Stills: read, written, in strips where they are large."""
