"""The calls that apps made with managed prompts, as they happened."""
