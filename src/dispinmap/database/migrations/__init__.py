"""The revisions that make the schema, and the code that runs them."""
