"""Scores of answers and of photos, and the attacker settings under which they are taken."""
