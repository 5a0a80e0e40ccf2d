"""`python -m dispinmap`."""

from dispinmap.cli import main

main()
