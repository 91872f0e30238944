"""Downloads many files: where each goes, whether it is fetched, and its outcome."""
