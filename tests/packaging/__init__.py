"""What leaves the repository: the wheel, the lock files, the image's recipe."""
