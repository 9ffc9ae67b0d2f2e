"""A style at once from any painting: what it looks like says how the shipped networks are mixed."""
