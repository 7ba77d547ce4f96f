"""The spine: defenses, targets, and what runs a suite from photos to records."""
