"""`python -m coscope` is `coscope`."""

from coscope.cli import main

if __name__ == "__main__":
    main()
