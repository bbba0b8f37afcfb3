"""Files: events and items from CSV, Parquet and JSON Lines; slates to them."""
