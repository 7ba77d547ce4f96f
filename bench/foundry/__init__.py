"""Where the shipped checkpoints are made: photos of training people, vision tower, language model."""
