"""What is kept on the local disk while the database cannot take it."""
