"""Servers: the addresses that people give, the proxies between, and secrets that nobody may read."""
