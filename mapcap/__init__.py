"""MapCap: explain a whole class of an image classifier, in words."""
