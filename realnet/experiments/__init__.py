"""The experiments: arms, runs, and the small curves that figures show. See `registry`."""
