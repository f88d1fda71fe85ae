#!/bin/sh
# Runs fuzz targets one after the other, each for that many seconds: run.sh SECONDS [TARGET...]; without names, all of them.
# What a run learns stays in the target folder for the next one; corpus/ holds what the first one begins with.
set -eu
cd "$(dirname "$0")/../../.."

FUZZ_VERSION=0.13.2
tools=$PWD/target/tools
fuzz=guest/core/fuzz
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/fuzz"
export PATH="$tools/bin:$PATH"

fail() {
  echo "fuzz: $*" >&2
  exit 2
}

seconds=${1:-}
case $seconds in
  '' | 0* | *[!0-9]*) fail "say how many seconds, as in make fuzz SECONDS=60" ;;
esac
shift

# libFuzzer is written in C++.
if [ -z "${CXX:-}" ] && ! command -v c++ >/dev/null; then
  command -v clang++ >/dev/null || fail "install a C++ compiler (on Debian: apt-get install g++)"
  export CXX=clang++
fi

if [ "$(cargo fuzz --version 2>/dev/null)" != "cargo-fuzz $FUZZ_VERSION" ]; then
  echo "setting up: cargo-fuzz" >&2
  cargo install --quiet --locked --root "$tools" "cargo-fuzz@$FUZZ_VERSION" >&2
fi

# Sanitizers want a nightly compiler, and nothing here is unsafe.
cargo fuzz build -s none --fuzz-dir "$fuzz" >&2
[ $# -gt 0 ] || set -- $(cargo fuzz list --fuzz-dir "$fuzz")
for target; do
  [ -d "$fuzz/corpus/$target" ] || fail "there is no $fuzz/corpus/$target"
done

# So that what went wrong and how to run it again fit on a screen; whoever does that sees the rest.
export RUST_BACKTRACE=0
crashes=0
for target; do
  learnt=$CARGO_TARGET_DIR/corpus/$target
  log=$CARGO_TARGET_DIR/$target.log
  mkdir -p "$learnt"
  if cargo fuzz run -s none --fuzz-dir "$fuzz" "$target" "$learnt" "$fuzz/corpus/$target" \
    -- -max_total_time="$seconds" -timeout=30 >"$log" 2>&1; then
    runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log")
    echo "$target: $runs runs"
  else
    crashes=$((crashes + 1))
    grep -v "^#" "$log" | tail -n 40 >&2
    echo "$target: CRASHED; all of the output is in $log"
  fi
done
echo "fuzz: $# targets, $crashes crashes"
[ "$crashes" = 0 ]
