"""What stands in requests and responses, as values: paths, headers, parameters, documents."""
