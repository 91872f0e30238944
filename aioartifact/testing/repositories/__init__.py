"""Kinds, settings and configurations of repositories."""
