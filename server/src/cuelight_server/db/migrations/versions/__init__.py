"""One file a revision, for both stores: expand, backfill, enforce."""
