"""What is made from an index for people and programs: screens, pages, metrics, drawings, history."""
