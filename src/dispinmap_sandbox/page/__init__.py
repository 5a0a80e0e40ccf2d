"""The chat page: a small Discord and a Pinball Map panel in the browser, served on loopback."""
