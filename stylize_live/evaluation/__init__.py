"""How good styles are, and how steady painted videos."""
