"""What is asked of the database, by topic. Each takes the caller's session, which alone commits."""
