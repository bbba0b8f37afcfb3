"""An answer as one pure function of a query and a view of versioned state."""
