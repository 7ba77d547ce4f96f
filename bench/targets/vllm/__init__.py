"""Answering through vLLM: its server as a child process, and a client that speaks its HTTP interface."""
