"""Shenyan (慎言): checks what an agent is about to send, before the customer sees it."""

__version__ = "0.1.0"
