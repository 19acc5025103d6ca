"""A package of its own: another one of this name, which a library may install, is not found before it."""
