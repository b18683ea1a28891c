"""Everything one can do: one file a story, each governed change through the one door."""
