"""A local web page on which a show is watched and run."""
