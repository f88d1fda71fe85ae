"""What urllib3 has in `contrib`."""
