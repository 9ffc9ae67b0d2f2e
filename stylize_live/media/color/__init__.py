"""Colors, planes and shapes of decoded frames."""
