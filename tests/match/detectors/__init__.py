"""One module of rows per detector."""
