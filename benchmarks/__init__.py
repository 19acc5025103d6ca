"""Speed, always as a ratio to a peer or a limit that the same run measures."""
