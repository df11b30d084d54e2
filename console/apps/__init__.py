"""Facts become applications, whatever started them: members, attempts, owners, deaths, memory. Pure."""
