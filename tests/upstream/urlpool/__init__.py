"""Runs `urlpool.wasm` in Python: see host.py."""
