"""Generic figures and the style that all figures share."""
