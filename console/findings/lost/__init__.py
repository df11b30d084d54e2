"""Who was lost: the executors and drivers that ended, how, and by whom."""
