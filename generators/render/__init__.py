"""Fictitious people in scenes: MakeHuman shapes painted, dressed, lit and path traced with Mitsuba."""
