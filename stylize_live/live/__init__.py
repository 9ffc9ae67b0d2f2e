"""The way of a live frame into windows, cameras, streams and recordings."""
