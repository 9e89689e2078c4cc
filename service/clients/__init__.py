"""What others ask the service with. Each file stands alone: it imports nothing of `service`, and can be copied."""
