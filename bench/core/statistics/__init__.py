"""Intervals, headlines and tests. The person is the unit, or the cohort where there are enough of them."""
