"""Requests and responses on connections: faults, the log, the object storage, and remote servers."""
