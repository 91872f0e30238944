"""``api/search`` and ``api/versions``."""
