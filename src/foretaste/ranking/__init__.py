"""Scores: sources made comparable, blended with learnt weights, boosted, and mapped to chances."""
