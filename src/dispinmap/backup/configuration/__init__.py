"""Litestream's configuration: make it from the settings or read it from a file, and check it."""
