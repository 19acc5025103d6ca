"""Tables, figures and progress, from result tables alone."""
