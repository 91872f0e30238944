"""Items, their metadata and their bytes, on disk and in SQLite."""
