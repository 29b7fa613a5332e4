"""What pages say, as pure functions."""
