"""The spine: suites, the plan of their stages, the stages, and what runs them."""
