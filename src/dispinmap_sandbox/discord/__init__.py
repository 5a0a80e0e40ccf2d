"""An embedded Discord: enough of the gateway and of REST v10 for the real discord.py, over real sockets."""
