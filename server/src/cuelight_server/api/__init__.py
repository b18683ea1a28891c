"""The JSON door: HTTP in, a verb or a view, JSON out."""
