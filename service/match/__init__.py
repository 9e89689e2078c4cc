"""Views in, candidates out: everything in a text that may be a violation. Nothing here decides."""
