"""What containers, codecs and players support, their names for it, and which formats are opened at all."""
