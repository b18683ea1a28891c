"""Incidents: opened by a halt, a rollback, an alert or a person. Nothing lives here yet; rollbacks stand in the log."""
