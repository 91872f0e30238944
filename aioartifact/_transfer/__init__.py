"""The transfer engine: moves the bytes of one file or of many, verified, and never shows a half."""
