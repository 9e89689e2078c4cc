"""One module per kind of thing that is recognised by its form."""
