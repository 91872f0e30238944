"""Users, groups, permissions, tokens, and who a request is from."""
