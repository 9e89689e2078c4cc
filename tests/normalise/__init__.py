"""Tests of normalise."""
