"""OBS, told through its own remote control (obs-websocket 5) to show our stream or page."""
