"""Rules for which target wants which submission (pure)."""
