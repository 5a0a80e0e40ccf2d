"""Delivery: due notifications become a message, which is saved before it is sent."""
