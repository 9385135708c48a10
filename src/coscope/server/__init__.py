"""The page's server: files and interpreters of this machine, for a browser on this machine."""
