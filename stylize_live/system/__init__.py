"""What differs between operating systems, each thing in one place."""
