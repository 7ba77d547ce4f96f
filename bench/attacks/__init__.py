"""Attacker settings: what the attacker does to photos or training in order to undo a defense. One file a kind."""
