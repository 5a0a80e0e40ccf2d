"""The promise to deliver: what is due becomes a message, saved before it is sent."""
