"""Text encoders: models from a folder on disk, computed in NumPy."""
