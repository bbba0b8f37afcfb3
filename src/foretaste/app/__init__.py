"""The assembly: settings, wiring, the Python face, the command line and the HTTP service."""
