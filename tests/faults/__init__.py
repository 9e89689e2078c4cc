"""What the service promises while things around it break: short in CI, in full by `make faults`."""
