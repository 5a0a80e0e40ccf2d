"""The whole bot on one machine: embedded Discord, Pinball Map and geocoder, and a page to drive them."""
