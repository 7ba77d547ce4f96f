"""A dataset as a page for people: every photo with its description and its questions."""
