"""The streams beside the video: carried over, or encoded anew."""
