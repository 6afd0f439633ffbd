"""`python -m syncer`; the processes that read files import this module as well, and run nothing by that."""

from syncer.main import main

if __name__ == "__main__":
    main()
