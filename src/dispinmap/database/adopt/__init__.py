"""Taking over a database of the original bot, or another one of ours, without losing a row."""
