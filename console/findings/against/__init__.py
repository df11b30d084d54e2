"""What changed between two runs of an application, ranked by whether it can explain what is found."""
