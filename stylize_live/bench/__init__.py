"""What `stylize-live bench` measures, and how."""
