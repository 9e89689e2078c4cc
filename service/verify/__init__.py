"""Candidates in, findings and dismissals out. Each says why."""
