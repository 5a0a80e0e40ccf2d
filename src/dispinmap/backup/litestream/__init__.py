"""Litestream behind one interface; `Dialect` has what differs between versions."""
