import itertools

from jaxnets.config.config import Config
from jaxnets.engine import devices, products
from jaxnets.engine.sweep import prepare


def of_step(**values) -> int:
    (program,) = prepare(Config(num_steps=2, **values)).programs
    return products.step_flops(program)


def test_the_products_of_a_step_of_an_mlp():
    sizes = (64, 7, 5, 10)
    forward = [2 * 16 * a * b for a, b in itertools.pairwise(sizes)]
    assert of_step(dataset="digits", hidden_units=sizes[1:-1], batch_size=16) == 3 * sum(forward) - forward[0]


def test_the_products_of_a_step_of_a_text_cnn():
    narrow, wide = (
        of_step(dataset="ngrams", model="text_cnn", embedding_dim=4, num_filters=filters, filter_widths=(2,))
        for filters in (3, 6)
    )
    # windows forward, gradients of the kernel and of the vectors; and the last layer
    assert wide == 2 * narrow > 0


def test_the_rate_of_products_is_that_of_a_machine():
    assert 1e8 < products.product_rate(devices.placement(), seconds=0.01) < 1e17
