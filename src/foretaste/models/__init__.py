"""Learners: each scores a live history, never a stored user."""
