"""The choice: which of the best items stand together on a slate, and in which order."""
