"""What a user may ask for, as typed values: no text is parsed and no plug-in is known here."""
