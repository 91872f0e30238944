"""``api/storage`` and ``api/metadata``: items and their properties."""
