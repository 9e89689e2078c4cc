"""What chat servers and helpdesks send us: one file per tool."""
