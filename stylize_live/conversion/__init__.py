"""The way of a file into a painted one."""
