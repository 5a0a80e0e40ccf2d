"""Queries by topic. Each takes the caller's session and never commits: the caller does."""
