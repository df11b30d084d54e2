"""What the monitoring does not see: scraping, rules, objectives."""
