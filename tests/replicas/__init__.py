"""Tests of `service/replicas`, in memory and on Redis."""
