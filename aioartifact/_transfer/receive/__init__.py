"""Receives files: from a response to the bytes that a caller reads, or to a committed file."""
