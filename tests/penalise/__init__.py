"""Tests of what incidents cost."""
