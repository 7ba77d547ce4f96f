"""Datasets on a hub: found, downloaded, and what to say when that fails."""
