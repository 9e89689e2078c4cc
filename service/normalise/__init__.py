"""One text becomes a few views, in which every character knows where it came from."""
