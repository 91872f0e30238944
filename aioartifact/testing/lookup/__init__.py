"""From the path of a request to the item that answers it, in repositories of every kind."""
