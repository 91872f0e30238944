"""Providers of credentials that come with the library; each is given as ``auth=`` of a session."""
