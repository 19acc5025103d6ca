"""What can be asked of trained nets: their parameters, signals, gradients and loss landscapes."""
