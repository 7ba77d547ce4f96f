"""What a run publishes (records) and the static page that a reviewer reads."""
