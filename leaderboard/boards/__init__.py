"""What the page compares: boards of one target each, their ranks and tests, and all targets side by side."""
