"""The second person: what they are asked for, how they are waited for, and how they approve."""
