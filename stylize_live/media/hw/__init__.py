"""Frames that a chip decodes or encodes, and that stay on it. The only torch in `media`."""
