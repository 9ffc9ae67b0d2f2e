"""What files, codecs and players can hold, how they call it, and what is opened at all."""
