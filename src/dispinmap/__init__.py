"""Watches Pinball Map and tells Discord channels what changed."""
