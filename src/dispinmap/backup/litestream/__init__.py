"""Both Litestreams, 0.3 and 0.5, behind one interface."""
