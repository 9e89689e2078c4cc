"""One module per detector whose candidates need more than their form."""
