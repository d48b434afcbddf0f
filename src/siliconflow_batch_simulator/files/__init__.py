"""Files on disk: the inspection of input files, and where all files are kept."""
