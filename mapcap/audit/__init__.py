"""Why a class fails, with figures: words, slices, labels, backgrounds, marks, calibration."""
