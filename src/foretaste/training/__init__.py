"""From the log to a published model: prepare, fit, evaluate, gate, publish."""
