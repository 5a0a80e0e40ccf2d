"""Discord's REST v10, one topic a file. Handlers read a request, call a part, and serialise the result."""
