"""The transfer engine: transfers one file or many, verifies them, and never exposes a partial file."""
