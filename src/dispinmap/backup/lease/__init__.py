"""One bot at a time on one replica."""
