"""What a program remembers on disk: locked files of records, and files that are replaced whole."""
