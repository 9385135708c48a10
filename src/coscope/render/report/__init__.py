"""The report: a file, a folder or a package as one HTML file that needs nothing else."""
