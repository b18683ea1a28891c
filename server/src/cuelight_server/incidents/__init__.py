"""Incidents, opened by a halt, a rollback, an alert or a person: an empty room so far, rollbacks stand in the log."""
