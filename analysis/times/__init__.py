"""Times to events: tables of events, medians, comparisons of arms and fitted laws."""
