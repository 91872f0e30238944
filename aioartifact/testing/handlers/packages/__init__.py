"""``api/pypi``."""
