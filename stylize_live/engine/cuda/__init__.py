"""Painting on an NVIDIA GPU."""
