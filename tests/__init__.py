"""Tests, in the folders of `service/`."""
