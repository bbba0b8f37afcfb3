"""Foretaste."""
