"""What small networks are made of, and both runtimes that compute them."""
