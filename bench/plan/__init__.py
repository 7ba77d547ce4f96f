"""From a suite to its plan: what must be computed, in which order, under which keys. Computes nothing."""
