"""Tries: a few examples put to a draft by hand; they stay with its content and are no evidence of a gate."""
