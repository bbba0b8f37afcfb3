"""SQLite: one file holds the id map, the event log and the catalog; exposures have a file of their own."""
