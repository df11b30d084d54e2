"""What authors and readers get: a checklist in words, the words of the language, a beginning, what is missing."""
