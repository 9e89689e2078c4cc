"""Files and rows become a checked, immutable snapshot; its content hash is its version."""
