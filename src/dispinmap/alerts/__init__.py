"""The operator is told when something stays broken, and when it works again."""
