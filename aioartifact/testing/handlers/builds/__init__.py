"""Builds: publish, read, delete, promote, rename, retain."""
