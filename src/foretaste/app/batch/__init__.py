"""Slates for very many people, to a file."""
