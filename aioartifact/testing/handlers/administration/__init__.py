"""Repositories, system information and the storage summary."""
