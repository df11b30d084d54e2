"""Facts from saved evidence, in every form that people paste."""
