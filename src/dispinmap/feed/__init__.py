"""When to look at Pinball Map, and what is new there."""
