"""Pages: one per question of the person on call. A page has a view, keys and no widgets."""
