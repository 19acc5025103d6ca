import gzip
import json

import pytest

import jaxnets
from jaxnets import spans
from jaxnets.engine import executables
from jaxnets.errors import UserError
from jaxnets.lab import profiling, run_directory

SMALL = {
    "dataset": "xor",
    "hidden_units": 4,
    "batch_size": 0,
    "num_steps": 6000,
    "evaluate_every": 3000,
    "num_seeds": 3,
}


@pytest.fixture(scope="module")
def profiled(tmp_path_factory):
    executables.forget()  # only what is compiled is traced
    folder = tmp_path_factory.mktemp("profiled") / "run"
    return jaxnets.sweep(output=folder, profile=True, progress=False, **SMALL)


def test_the_account_adds_up(profiled):
    account = json.loads((profiled.directory / "profile" / "account.json").read_text())
    parts = {*spans.ORDER, spans.IDLE}
    assert set(account["seconds"]) == set(account["shares"]) == parts
    assert sum(account["seconds"].values()) == pytest.approx(account["total_seconds"])
    assert sum(account["shares"].values()) == pytest.approx(1)
    for name in (spans.DATA, spans.COMPILE, spans.STEPS, spans.EVALUATION, spans.WRITING, spans.PROFILE):
        assert account["seconds"][name] > 0, name
    # forward and backward through 2 x 4 and 4 x 2 weights, for 4 examples, 6,000 steps and 3 runs
    assert account["step_flops"] == 3 * 6000 * 2 * 4 * (2 * 8 + 3 * 8)
    assert account["step_flops_per_second"] == pytest.approx(account["step_flops"] / account["seconds"]["steps"])
    assert 0 < account["share_of_product_rate"] < 1


def test_the_page_has_all_parts(profiled):
    page = (profiled.directory / "profile" / "account.html").read_text()
    for name in (*spans.ORDER, spans.IDLE, "all"):
        assert f'<th scope="row">{name}</th>' in page
    assert "GFLOP/s" in page


def test_the_timeline_has_the_process_and_operations(profiled):
    with gzip.open(profiled.directory / "profile" / "perfetto_trace.json.gz") as stream:
        events = json.load(stream)["traceEvents"]
    ours = [event for event in events if event["pid"] == 0 and event["ph"] == "X"]
    assert {event["name"] for event in ours} >= {spans.DATA, spans.COMPILE, spans.STEPS, spans.EVALUATION}
    assert len([event for event in ours if event["name"] == spans.STEPS]) == 2  # a span for each segment
    traced = [event for event in events if event["pid"] != 0 and event["ph"] == "X"]
    assert len(traced) > 20
    last = max(event["ts"] for event in ours)
    assert all(0 <= event["ts"] <= last + 5e6 for event in traced)
    assert list(profiled.directory.glob("profile/program_0/plugins/profile/*/*.xplane.pb"))


def test_the_numbers_are_those_without_it_which_writes_nothing_of_it(profiled, tmp_path):
    plain = jaxnets.sweep(output=tmp_path / "plain", progress=False, **SMALL)
    assert not (tmp_path / "plain" / "profile").exists()
    assert spans.account() is None
    names = [name for name in plain.runs if name != "seconds"]
    assert plain.runs[names].equals(profiled.runs[names])
    assert plain.curves.equals(profiled.curves)


def test_a_profile_needs_a_directory():
    with pytest.raises(UserError, match="profile: it is written into the run directory; name one by output"):
        jaxnets.sweep(profile=True, progress=False, **SMALL)


def test_what_was_interrupted_goes_on_with_or_without_it(tmp_path):
    begun, content = tmp_path / "begun", {"experiment": "sweep", "config": {"profile": False}}
    run_directory.create(begun, content)
    (begun / "config.json").write_text(json.dumps({"format": 2, **content}))
    assert run_directory.goes_on(begun, {**content, "config": {"profile": True}})


def test_a_profile_of_before_makes_way(tmp_path):
    (tmp_path / "profile" / "program_0").mkdir(parents=True)
    with spans.accounting(0.0) as account:
        profiling.begin(tmp_path)
    assert account.directory == tmp_path / "profile"
    assert not list(account.directory.iterdir())


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "profile").symlink_to(tmp_path / "elsewhere")
    with spans.accounting(0.0), pytest.raises(UserError, match="profile"):
        profiling.begin(tmp_path)
