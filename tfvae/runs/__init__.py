"""Runs: settings, training that survives being killed, and the folder that holds the results."""
