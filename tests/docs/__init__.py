"""The documentation tells the truth about the software beside it."""
