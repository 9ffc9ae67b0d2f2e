"""Painting on a processor."""
