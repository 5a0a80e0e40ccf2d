"""What people asked this bot to watch."""
