"""What stands beside the video: carried over, or encoded anew."""
