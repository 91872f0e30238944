"""Downloads many files: where each goes, whether it is fetched, and what became of it."""
