"""What a dataset is published with: its card, its metadata, its contact sheet, and the way to the hub."""
