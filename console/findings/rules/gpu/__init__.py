"""Devices: broken, hot, idle, not offered, not usable."""
