"""Tests of service.compact."""
