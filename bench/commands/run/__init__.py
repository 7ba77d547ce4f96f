"""``veilbench run``: its command and the logic behind it."""
