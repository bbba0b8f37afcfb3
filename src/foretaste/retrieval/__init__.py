"""Candidates: every source scores all items, and its best allowed ones are taken."""
