"""Python in executors and drivers: workers that crash, environments that do not fit (I12), errors of the own code."""
