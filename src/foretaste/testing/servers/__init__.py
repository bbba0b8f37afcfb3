"""Real servers for tests and for developers' machines, started without containers: one module each."""
