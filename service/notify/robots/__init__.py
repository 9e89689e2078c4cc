"""Ready-made targets: robots of chat groups, one file each."""
