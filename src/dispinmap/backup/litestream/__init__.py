"""Litestream behind one interface, whatever its version; `Dialect` has what differs."""
