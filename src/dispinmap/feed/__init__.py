"""Reads Pinball Map's feed, and turns its news into notifications."""
