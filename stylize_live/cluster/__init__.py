"""Conversions over many workers: GPUs or groups of cores, of one machine or of a Ray cluster."""
