#!/bin/sh
# What `make bench` needs beside cargo: nginx, and CPython's urllib3 from PyPI with the decoders that it knows.
# It does nothing, quickly, when all is there.
set -eu
cd "$(dirname "$0")/../.."
tests/interop/setup.sh
packages=${CARGO_TARGET_DIR:-target}/bench/python
complete='import urllib3
from urllib3.util.request import ACCEPT_ENCODING as codings
assert urllib3.__version__ == "2.8.0" and "br" in codings and "zstd" in codings'
if ! PYTHONPATH=$packages python3 -c "$complete" 2>/dev/null; then
  echo "setting up: urllib3" >&2
  rm -rf "$packages"
  python3 -m pip install -q --target "$packages" 'urllib3[brotli,zstd]==2.8.0' >&2
fi
