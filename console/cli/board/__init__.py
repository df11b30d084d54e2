"""Commands that show what is judged at one moment: all of it, applications, what waits."""
