"""Fine-tuning a target: rows, steps, state that survives a kill, what is written in the end."""
