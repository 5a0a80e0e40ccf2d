"""The lease: one bot at a time on one replica."""
