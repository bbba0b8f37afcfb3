"""The boundary: small protocols that adapters implement, each with its promises in the docstring."""
