"""What the platform asks: is the process alive, and is it doing its work."""
