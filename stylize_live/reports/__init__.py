"""What reports look like: one theme, its templates, and charts. They know nothing of what they show."""
