"""NDI, video over a local network, through cyndilib: all that is known of that library."""
