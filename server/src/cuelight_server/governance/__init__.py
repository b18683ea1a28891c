"""Who belongs to a workflow, and how what governs it is changed: proposed, agreed to, put into force."""
