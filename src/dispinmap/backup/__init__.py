"""The database's second life: replicated by Litestream, restored, checked, and held by one bot at a time."""
