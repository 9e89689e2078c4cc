"""Data that is read where it lies, in a mapped file: nothing is built when it is opened, and processes share its pages."""
