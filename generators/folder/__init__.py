"""The folder source: people's own photos with a metadata file beside them."""
