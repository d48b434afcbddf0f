"""Result files: read line by line, and put into the order of the input."""
