"""The revisions that make the schema, and what runs them."""
