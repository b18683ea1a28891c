"""Who may come in: people, apps and their tokens."""
