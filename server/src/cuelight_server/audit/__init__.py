"""What can be done and by whom, and the log that proves what was done."""
