"""Replicate the database with Litestream, restore and check it, and let one bot at a time use the replica."""
