"""Turns place names into coordinates."""
