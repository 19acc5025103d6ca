"""A trained model by itself: on disk, asked for predictions, explained."""
