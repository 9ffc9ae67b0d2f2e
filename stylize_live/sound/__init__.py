"""What is heard, and how painting follows it: loudness, bands, onsets, beats; NumPy and nothing else."""
