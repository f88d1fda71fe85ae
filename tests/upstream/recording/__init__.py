"""What urllib3's own tests ask of it, and what it answers."""
