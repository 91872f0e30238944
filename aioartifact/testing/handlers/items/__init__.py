"""Requests for a path in a repository, and those that copy, move and pack its items."""
