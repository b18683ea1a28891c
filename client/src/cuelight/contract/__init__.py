"""What both sides of Cuelight must agree on: pure functions over JSON, with published test vectors."""
