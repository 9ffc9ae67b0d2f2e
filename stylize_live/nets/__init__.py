"""The network's layers, style files, and which styles there are."""
