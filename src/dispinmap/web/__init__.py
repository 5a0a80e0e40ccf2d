"""What the platform, Prometheus and people ask over HTTP: does the bot live, does it do its work, and how much."""
