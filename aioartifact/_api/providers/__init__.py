"""Providers of credentials, for ``auth=`` of a session."""
