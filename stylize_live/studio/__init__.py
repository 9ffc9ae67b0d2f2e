"""A local web page on which a session is watched and run."""
