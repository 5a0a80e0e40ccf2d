"""The web pages for the platform, Prometheus and people: is the bot alive, does it work, and how much does it do?"""
