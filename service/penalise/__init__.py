"""Incidents in, ledger entries and sanctions out: charged once, summed when asked, taken back when overturned."""
