"""`python -m aimyproxy` is the `aimyproxy` command."""

from aimyproxy.cli import main

if __name__ == "__main__":
    main()
