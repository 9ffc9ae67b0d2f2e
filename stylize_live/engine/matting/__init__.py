"""Which pixels of a frame show people, and how much of each."""
