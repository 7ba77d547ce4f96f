"""Checks of a dataset: what would make its numbers wrong, or its sharing unlawful."""
