"""Memory: the promises without durability, for tests and trials."""
