"""Archives: looked into, and made while they are sent."""
