"""Telling the operator when something stays broken, and when it works again."""
