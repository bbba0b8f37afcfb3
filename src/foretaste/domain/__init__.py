"""The words of the project: plain values without input or output, imported by every other package."""
