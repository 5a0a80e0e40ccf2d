"""Runs the whole bot on one machine: embedded Discord, Pinball Map and geocoder, and a page to use them."""
