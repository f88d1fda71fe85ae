#!/bin/sh
# What `make bench` needs beside cargo: nginx, and CPython's urllib3 from PyPI.
# It does nothing, quickly, when all is there.
set -eu
cd "$(dirname "$0")/../.."
tests/interop/setup.sh
packages=${CARGO_TARGET_DIR:-target}/bench/python
if ! PYTHONPATH=$packages python3 -c 'import urllib3; assert urllib3.__version__ == "2.8.0"' 2>/dev/null; then
  echo "setting up: urllib3" >&2
  rm -rf "$packages"
  python3 -m pip install -q --no-deps --target "$packages" 'urllib3==2.8.0' >&2
fi
