"""Blind reviews: people of a named role read outputs without knowing whose they are, and sign what they found."""
