"""What each prompt serves in each environment, and the snapshot that says so to the clients."""
