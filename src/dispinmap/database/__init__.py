"""The one file that holds the bot's state."""
