#!/bin/sh
# Run by make test: see lint.sh.
exec sh test/lint.sh
