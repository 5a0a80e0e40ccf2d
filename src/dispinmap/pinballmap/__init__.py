"""Pinball Map: its data as we use it, and the client that asks politely for it."""
