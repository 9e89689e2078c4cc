"""Tests of `service/record`, on SQLite and on PostgreSQL."""
