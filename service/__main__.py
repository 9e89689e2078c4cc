"""`python -m service` is the command `shenyan`."""

from service.cli import main

main()
