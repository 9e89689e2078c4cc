"""What the command line does over HTTP."""
