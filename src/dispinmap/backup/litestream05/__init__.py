"""What is particular to Litestream 0.5."""
