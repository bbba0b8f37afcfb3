"""Ports kept in a plain directory."""
