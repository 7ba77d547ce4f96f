"""``veilbench target``: its command and the logic behind it."""
