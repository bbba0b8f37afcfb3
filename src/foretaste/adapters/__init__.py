"""The outside: one folder per technology, one file per port it implements."""
