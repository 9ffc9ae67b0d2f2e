"""Learning a painting beside a show or before a conversion, in a process of its own."""
