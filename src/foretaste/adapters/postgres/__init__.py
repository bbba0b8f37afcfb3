"""PostgreSQL: the log, the catalog and all else that must not be lost, for many processes at once."""
