"""`dispinmap backup validate` under the name that the founding guide has for it; takes the same options."""

import sys

from dispinmap.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["backup", "validate"]
    main()
