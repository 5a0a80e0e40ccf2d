"""Discord's REST v10, one topic a file. Handlers read a request, call the part that knows, and serialise."""
