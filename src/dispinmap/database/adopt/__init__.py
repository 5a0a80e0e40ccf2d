"""Taking over a database of the original bot, or an older one of ours, without a row lost."""
