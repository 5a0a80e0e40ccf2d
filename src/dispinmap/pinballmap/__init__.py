"""Pinball Map: its data as plain values, and a polite client."""
