"""Who cares about a submission: pure rules."""
