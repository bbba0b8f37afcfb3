"""The language of filters and boosts: text → tree → masks and numbers over the catalog's columns."""
