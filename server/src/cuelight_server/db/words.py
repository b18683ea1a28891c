"""What the triggers say, on either database."""

NEVER_CHANGES = "never changes"
GOVERNED = "this table is governed: only the door writes it"
