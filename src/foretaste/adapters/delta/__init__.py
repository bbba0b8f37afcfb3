"""Adapters on Delta Lake tables."""
