"""What every backend does and is told, and how a painting is laid over its image."""
