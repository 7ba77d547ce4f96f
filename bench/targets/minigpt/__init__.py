"""MiniGPT-v2 as a network in the style of transformers, which has none, and its conversion from published files."""
