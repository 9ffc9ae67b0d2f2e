"""Sources and sinks, files and devices: all that knows codecs, containers and colors."""
