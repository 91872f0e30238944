"""API keys, passwords and tokens."""
