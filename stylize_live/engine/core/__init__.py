"""What every backend promises, and how a painting is laid over its image."""
