"""Everything that knows Litestream 0.3. Delete this folder when 0.3 ends; see `versions`."""
