"""Taking over from Gorse: its exports, its REST API, and what its records mean here."""
