"""What every room stands on: errors that tell what to do, files written whole or not at all, limits, characters."""
