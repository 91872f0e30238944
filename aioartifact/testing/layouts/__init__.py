"""What paths say about modules and their versions."""
