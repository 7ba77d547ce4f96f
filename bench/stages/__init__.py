"""What a run is made of: one file a stage, and what all stages share."""
