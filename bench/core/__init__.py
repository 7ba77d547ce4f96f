"""What knows nothing of photos or models: digests, artifact store, registry, statistics, progress, environment."""
