"""What the server makes of files as they come and go: the metadata of Maven, the index of Python packages."""
