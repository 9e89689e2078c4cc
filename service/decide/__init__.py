"""Findings and a platform's policy in, allow, warn or block out."""
