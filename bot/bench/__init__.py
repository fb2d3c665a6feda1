"""The benchmarks: what one turn of a real sign-up costs, and what it consists of."""
