"""Tells others what happened: signed, in order, again until it is heard."""
