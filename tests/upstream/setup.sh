#!/bin/sh
# What `make upstream` needs beside cargo: a virtual environment with what requirements.txt lists, and the source package of urllib3,
# whose tests are run and never committed. It does nothing, quickly, when all is there.
set -eu
cd "$(dirname "$0")/../.."
here=tests/upstream
into=${CARGO_TARGET_DIR:-target}/upstream
venv=$into/venv

wanted=$(cat "$here/setup.sh" "$here/requirements.txt" "$here/urllib3.txt" | cksum)
if [ "$(cat "$into/stamp" 2>/dev/null)" = "$wanted" ] && "$venv/bin/python" -c 'import wasmtime, pytest, urllib3' 2>/dev/null; then
  exit 0
fi

fail() {
  echo "upstream: $*" >&2
  exit 1
}

python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "python3 must be 3.11 or later"
echo "setting up: Python packages and urllib3's source package" >&2
mkdir -p "$into"
rm -f "$into/stamp"
rm -rf "$venv" "$into"/urllib3-*
if ! python3 -m venv "$venv" >/dev/null 2>&1; then
  # Debian has the part of it that brings pip in a package of its own.
  command -v apt-get >/dev/null || fail "python3 -m venv does not work"
  as_root=
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "as root, run apt-get install python3-venv"
    as_root=sudo
  fi
  $as_root apt-get update -q >&2
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3-venv >&2
  python3 -m venv "$venv"
fi

pip="$venv/bin/python -m pip --disable-pip-version-check -q"
# requirements.txt is complete: dependencies would only bring urllib3's wheel.
$pip install --no-deps -r "$here/requirements.txt" >&2
$pip download --no-deps --no-binary urllib3 -d "$into" -r "$here/urllib3.txt" >&2
tar -xzf "$into"/urllib3-*.tar.gz -C "$into"
$pip install --no-deps "$into"/urllib3-*.tar.gz >&2
echo "$wanted" >"$into/stamp"
