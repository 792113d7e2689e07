"""The one command `./kessai`: builds Kessai and runs it on one machine. See ../README.md."""
