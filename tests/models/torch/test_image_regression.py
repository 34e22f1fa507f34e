import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gnomon.core.errors import DataError  # noqa: E402
from gnomon.models.torch.image_regression import ImageRegression, normal_loss, pinball  # noqa: E402


def world(n, seed, channels=1):
    """Images whose left half is bright or dark; the number is 4 there and -4 else, twice as noisy where bright."""
    rng = np.random.default_rng(seed)
    bright = rng.random(n) < 0.8
    images = rng.random((n, 8, 8, channels)).astype(np.float32)
    images[bright, :, :4] += 1.0
    classes = rng.integers(0, 3, n)
    numbers = np.where(bright, 4.0, -4.0) + 2.0 * classes + rng.normal(size=n) * np.where(bright, 2.0, 1.0)
    return images, classes, numbers, bright


@pytest.mark.parametrize("quantile", [0.05, 0.5, 0.9])
def test_over_constants_the_pinball_loss_is_least_at_the_empirical_quantile(quantile):
    numbers = torch.tensor(np.random.default_rng(0).gumbel(size=501))
    grid = np.sort(np.concatenate([numbers.numpy(), np.linspace(-3, 8, 400)]))
    losses = [float(pinball(torch.full_like(numbers, float(v)), numbers, quantile)) for v in grid]
    assert grid[int(np.argmin(losses))] == pytest.approx(np.quantile(numbers.numpy(), quantile), abs=1e-9)


def test_over_constants_the_normal_loss_is_least_at_mean_and_deviation():
    numbers = torch.tensor(np.random.default_rng(0).normal(3.0, 2.0, 500))
    mean, deviation = float(numbers.mean()), float(numbers.std(correction=0))

    def loss(m, s):
        return float(normal_loss(torch.tensor([[m, np.log(s)]]).expand(500, 2), numbers))

    least = loss(mean, deviation)
    assert all(loss(mean + dm, deviation * f) > least for dm, f in ((0.1, 1), (-0.1, 1), (0, 1.1), (0, 0.9)))


def test_an_images_own_quantile_is_learned_and_holds_on_other_images():
    images, classes, numbers, bright = world(1000, 0)
    fitted = ImageRegression("quantile", 0.9, epochs=15, seed=1).fit(images, classes, numbers, 3)
    other, c, wanted, bright = world(3000, 1)
    predicted = fitted.predict(other, c)[:, 0]
    for part in (bright, ~bright):  # one constant would give 0.8 and 1.0
        assert (wanted[part] <= predicted[part]).mean() == pytest.approx(0.9, abs=0.07)
    true = np.where(bright, 4.0, -4.0) + 2.0 * c + 1.2816 * np.where(bright, 2.0, 1.0)
    assert np.abs(predicted - true).mean() < 0.8


def test_mean_and_deviation_of_an_image_are_learned():
    images, classes, numbers, _ = world(1500, 0, channels=3)
    fitted = ImageRegression("normal", epochs=25, seed=1).fit(images, classes, numbers, 3)
    other, c, wanted, bright = world(3000, 1, channels=3)
    mean, deviation = fitted.predict(other, c).T
    z = (wanted - mean) / deviation
    assert abs(z.mean()) < 0.2
    assert z.std() == pytest.approx(1.0, abs=0.2)
    assert deviation[bright].mean() == pytest.approx(2.0, rel=0.25)
    assert deviation[bright].mean() > 1.4 * deviation[~bright].mean()


def test_where_images_tell_nothing_it_stays_near_the_constant():
    rng = np.random.default_rng(0)
    images, numbers = rng.random((400, 6, 6)).astype(np.float32), rng.normal(10.0, 3.0, 400)
    classes = np.zeros(400, np.int64)
    fitted = ImageRegression("quantile", 0.95, epochs=30, seed=0).fit(images, classes, numbers, 2)
    other = rng.random((2000, 6, 6)).astype(np.float32)
    predicted = fitted.predict(other, np.zeros(2000, np.int64))[:, 0]
    assert predicted == pytest.approx(np.quantile(numbers, 0.95), abs=2.0)


def test_the_same_seed_gives_the_same_network_and_units_do_not_matter():
    images, classes, numbers, _ = world(200, 0)
    recipe = ImageRegression("quantile", 0.9, epochs=2, seed=3)
    first, again = (recipe.fit(images, classes, numbers, 3).predict(images, classes) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    scaled = recipe.fit(images, classes, 100.0 * numbers - 7.0, 3).predict(images, classes)
    np.testing.assert_allclose(scaled, 100.0 * first - 7.0, rtol=1e-3, atol=0.1)
    other = ImageRegression("quantile", 0.9, epochs=2, seed=4).fit(images, classes, numbers, 3)
    assert not np.array_equal(first, other.predict(images, classes))


def test_rows_that_are_no_images_are_refused():
    with pytest.raises(DataError, match="needs images"):
        ImageRegression("quantile").fit(np.zeros((30, 4), np.float32), np.zeros(30, np.int64), np.arange(30.0), 2)
