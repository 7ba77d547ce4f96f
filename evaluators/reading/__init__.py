"""How a sentence is read: its words, what it denies, and whom it names."""
