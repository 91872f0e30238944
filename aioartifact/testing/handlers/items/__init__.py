"""Requests for a path in a repository, and what copies, moves and packs what is there."""
