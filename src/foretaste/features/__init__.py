"""Folds: what is known of a user and an item, now and at any past moment."""
