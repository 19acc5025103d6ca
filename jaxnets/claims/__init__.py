"""What is measured for the claims of the lecture."""
