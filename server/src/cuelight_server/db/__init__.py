"""The SQL engine, the tables, and the two ways to write: governed through the door, operational by allow-list."""
