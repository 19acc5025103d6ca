"""What every room stands on: errors that tell the user what to do, and files written whole or not at all."""
