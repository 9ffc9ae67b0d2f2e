"""Blind pairs, the judge of looks: drawn, shown, voted on, counted."""
