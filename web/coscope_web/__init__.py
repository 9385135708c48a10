"""The built page of coscope, as files: `page/index.html` and what it loads."""
