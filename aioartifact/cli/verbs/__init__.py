"""The verbs, a module for each family."""
