"""Targets: what people asked the bot to watch."""
