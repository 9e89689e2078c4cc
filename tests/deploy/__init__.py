"""What deploy/ says is true of the service, and each file is as its own tool wants it."""
