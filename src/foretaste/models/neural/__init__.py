"""Learners trained by gradients: JAX fits them, NumPy and Numba score them."""
