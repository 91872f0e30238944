"""Lookup tables: CSV files in the format of audfactory, built on the public functions for versions and files."""

from .lookup import Lookup

__all__ = ["Lookup"]
