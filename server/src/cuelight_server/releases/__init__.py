"""Moving a version into an environment: what it takes, who said yes, and what became of it."""
