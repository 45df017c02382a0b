"""What packs are timed against, and the turns that they take."""
