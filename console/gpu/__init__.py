"""GPUs: one inventory over both generations of DCGM, and what is wrong with it. Pure."""
