"""The report of a made-up paper: what is told of each claim, figure, table and run."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.claims.arms import ArmNode
from analysis.claims.schema import Version
from analysis.report import contents, pages
from analysis.report.run_sets import RunSets, experiments, union
from analysis.runs import gather
from analysis.runs.experiments import Experiments
from analysis.runs.selection.conditions import parse
from analysis.runs.tables import read_gathered, write_gathered
from grokpipe.errors import InputError
from grokpipe.store import manifest
from tests.helpers import made_report, toy_paper
from tests.helpers.made_runs import write_run
from tests.helpers.page import Page


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return made_report.stored(tmp_path)


@pytest.fixture
def page(runs: Path) -> Page:
    made_report.report(runs)
    return Page((runs / "report/report.html").read_text())


def test_each_claim_with_its_verdict_and_all_that_belongs_to_it(page: Page) -> None:
    verdicts = {of["data-claim"]: of["data-verdict"] for _, of in page.elements
                if "data-claim" in of}  # fmt: skip
    assert verdicts == {
        "A-time": "reproduced", "A-all": "reproduced", "B": "not run", "C": "inconclusive",
        "D": "not reproduced", "E-used": "used for calibration", "M": "reproduced",
    }  # fmt: skip
    for said in (
        "Runs grok at 200 steps on average & no <i>later</i>.",
        "200 [150, 250] (3 runs, by hand)",
        "the whole 95 % interval is within 100 to 300",
        "the whole 95 % interval is at or below 1,000",
        "every run shows it, of at least 1,000",
        "3 of 3 runs [0.29, 1.00]",
        "1,000 of 1,000 tries",
        "Nothing can be said: e2_mixing: not run.",
        "A note with H̃* and a <script>.",
        "before 250: 2 of 3 runs [0.09, 0.99]", "evaluated every 200 steps: 3 of 3 runs",
        "Lemma 1", "full proof", "0.655", "Known when the rules were written: three <b>trials</b>.",
        "What held up: 3", "What did not: 1", "What is still open: 1", "What was not run: 1",
    ):  # fmt: skip
        assert said in page.said
    assert (
        page.said.count("200 [150, 250] (3 runs, by hand)") == 9
    )  # claim, overview and summary, once each
    assert page.said.count("A note with") == 3  # once a claim, though twice a criterion


def test_the_counts_add_up(page: Page) -> None:
    counts = {of["data-verdict"]: int(of["data-count"]) for _, of in page.elements
              if "data-count" in of}  # fmt: skip
    assert counts == {
        "reproduced": 3, "not reproduced": 1, "inconclusive": 1, "premise fails": 0,
        "used for calibration": 1, "not run": 1,
    }  # fmt: skip


def test_figures_are_inside_or_say_what_is_missing(page: Page, runs: Path) -> None:
    assert page.all("data-figure") == ["1", "2", "3"]
    images = [of for tag, of in page.elements if tag == "img"]
    assert len(images) == 2
    assert images[0]["src"].startswith("data:image/png;base64,iVBOR")
    assert (images[0]["width"], images[0]["height"]) == ("960", "240")  # 8 × 2 inches
    assert "Accuracy of each run, <u>wide</u> & low." in page.said
    assert "Not drawn: e2_mixing: not run" in page.said
    assert re.search(r"Figure 2 \(ours", page.said)
    assert not re.search(r"Figure 1 \(ours", page.said)
    assert (runs / "report/figure_1.png").exists()
    assert (runs / "report/figure_1.why.json").exists()


def test_a_figure_that_is_computed_needs_no_run(page: Page, runs: Path, capsys) -> None:
    """The flatness paper's report failed on one, whatever had been run."""
    assert "Computed, without a run." in page.said
    main(["why", str(runs / "report/figure_3.png")])
    assert "\nruns      none; from " in capsys.readouterr().out


def test_tables_stand_beside_the_published_ones(page: Page) -> None:
    first, second = page.said.index("Baseline <i>"), page.said.index("Ours: <times>")
    assert first < second < page.said.index("Ours: not run") < page.said.index("Other tables")
    for said in ("a|b", "30 rows", "4.14286", "+1,000", "Settings", "chosen among four"):
        assert said in page.said


def test_every_link_within_the_page_has_a_target(page: Page) -> None:
    ids = page.all("id")
    assert len(set(ids)) == len(ids)
    targets = {link[1:] for link in page.all("href") if link.startswith("#")}
    assert targets <= set(ids)
    for needed in ("claim-A-time", "claim-M", "figure-1", "figure-2", "runs-1"):
        assert needed in targets


def test_it_needs_nothing_but_itself(page: Page, runs: Path) -> None:
    assert not {"script", "iframe", "object", "video", "base"} & {tag for tag, _ in page.elements}
    assert all(link.startswith("data:") for link in page.all("src"))
    assert [of["href"] for tag, of in page.elements if tag == "link"] == ["data:,"]
    content = (runs / "report/report.html").read_text()
    for network in ("http:", "https:", "//", "url(", "@import"):
        assert network not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", content)


@pytest.mark.parametrize("kind", ["stored", "logs"])
def test_a_click_leads_to_the_runs(tmp_path: Path, kind: str) -> None:
    folder = getattr(made_report, kind)(tmp_path)
    report = made_report.report(folder)
    page = Page((folder / "report/report.html").read_text())
    (run_set,) = report.sets
    assert {run.key for run in run_set.runs} == {f"0300{seed:012d}" for seed in range(3)}
    assert run_set.title == "3 runs of e1_baseline"
    assert run_set.varied == ("seed",)
    assert [run.varied for run in run_set.runs] == [("0",), ("1",), ("2",)]
    assert [run.commit for run in run_set.runs] == ["c0ffee"] * 3
    assert report.lineage["A-time"] == report.lineage["D"] == run_set
    assert report.lineage["B"] is report.lineage["M"] is None
    away = [link for link in page.all("href") if link.startswith("../")]
    assert len(away) >= 3
    for link in away:
        assert (folder / "report" / link).exists(), link
    if kind == "logs":
        assert f"../cells/{run_set.runs[0].key}" in away
    for said in ("3 done; from", "c0ffee (3)", "seed: 0–2", "optimizer.betas=[0.9, 0.999]"):
        assert said in page.said


def test_markdown_says_the_same(runs: Path, page: Page) -> None:
    text = (runs / "report/report.md").read_text()
    for said in (
        "### A-time: reproduced", "### E-used: used for calibration", "### B: not run",
        r"Runs grok at 200 steps on average & no \<i\>later\</i\>.",
        "the whole 95 % interval is within 100 to 300", "![Figure 1](figure_1.png)",
        r"Not drawn: e2\_mixing: not run", r"H̃\* is later by \| 1,000 steps", r"a\|b",
    ):  # fmt: skip
        assert said in text
    ids = set(re.findall(r'<a id="([^"]+)"', text))
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= ids
    assert "<script>" not in text
    assert "\n\n\n" not in text


def test_a_published_number_tells_its_version(runs: Path, page: Page) -> None:
    """Beside the number wherever it stands: claim, overview and summary."""
    assert "ersion" not in page.said
    paper = toy_paper.read()
    first, second, *rest = paper.claims
    claims = (first, replace(second, version=2), *rest)
    later = Version("Made up <i>again</i>", "2026-11-28", "all <b>runs</b>.")
    paper = replace(paper, later=(later,), claims=claims)
    made = contents.build(paper, runs, runs / "report")
    pages.write(made, runs / "report")
    said = Page((runs / "report/report.html").read_text()).said
    text = (runs / "report/report.md").read_text()
    assert "Versions: 1, “Made up <b>&</b> tried”; 2, “Made up <i>again</i>”." in said
    assert "Known when the rules of version 2 were written, 2026-11-28: all <b>runs</b>." in said
    assert said.count("200 [150, 250] (version 1)") == said.count("3/3 (version 2)") == 3
    assert "- published: 3/3 (version 2)\n" in text
    assert r"2, “Made up \<i\>again\</i\>”" in text
    table = pd.read_csv(runs / "report/verdicts.csv", dtype=str, keep_default_na=False)
    assert table["version"].tolist()[:3] == ["1", "2", "1"]
    assert table["published"][1] == "3/3"


def test_the_verdicts_are_a_table_too(runs: Path, page: Page) -> None:
    table = pd.read_csv(runs / "report/verdicts.csv", dtype=str, keep_default_na=False)
    told = dict(re.findall(r"### (\S+): (.+)", (runs / "report/report.md").read_text()))
    assert dict(zip(table["id"], table["verdict"], strict=True)) == told
    assert "B" in told and len(told) == len(table)
    assert table.set_index("id").loc["B", "ours"] == "–"
    read = table.set_index("id")["experiments"]
    assert (read["A-time"], read["B"], read["M"]) == ("e1_baseline", "", "")


def test_the_same_runs_give_the_same_bytes(runs: Path) -> None:
    before = None
    for _ in range(2):
        made_report.report(runs)
        files = {path.name: path.read_bytes() for path in (runs / "report").iterdir()}
        assert before is None or files == before
        before = files


def test_a_figure_of_an_earlier_report_does_not_stay(runs: Path) -> None:
    old = runs / "report/figure_2.png"
    old.parent.mkdir()
    old.write_text("of runs that are gone")
    made_report.report(runs)
    assert not old.exists()


def test_all_experiments(tmp_path: Path) -> None:
    runs = made_report.stored(tmp_path)
    write_run(tmp_path / "other", 7, 0.1, 300)
    write_gathered(gather.read(tmp_path / "other"), runs / "e2_mixing")
    report = made_report.report(runs)
    assert [figure.missing for figure in report.figures] == ["", "", ""]
    assert report.by_verdict()["not run"] == []
    assert [run_set.title for run_set in report.sets] == [
        "3 runs of e1_baseline", "1 run of e2_mixing", "4 runs of e1_baseline, e2_mixing"
    ]  # fmt: skip
    everything = report.sets[-1]
    assert everything.varied == ("seed", "weight_decay")


def test_a_cell_that_was_trained_twice_is_two_runs(tmp_path: Path) -> None:
    runs = made_report.stored(tmp_path)
    again = read_gathered(runs / "e1_baseline")
    again.cells["processor"] = "another"
    write_gathered(again, runs / "e1_again")
    tables = [read_gathered(runs / name) for name in ("e1_baseline", "e1_again")]
    sets = RunSets(Experiments(runs, "entropy"), experiments(runs, "entropy"))
    found = [sets.add(of) for of in ([tables[0]], [tables[1]], tables)]
    assert [run_set.title for run_set in found if run_set] == [
        "3 runs of e1_baseline", "3 runs of e1_again", "6 runs of e1_again, e1_baseline"
    ]  # fmt: skip


def test_a_folder_of_settings_alone_has_a_report(tmp_path: Path) -> None:
    """As E0 comes before the experiments of the claims."""
    made_report.stored(tmp_path).joinpath("e1_baseline").rename(tmp_path / "e0")
    stored = tmp_path / "stored"
    write_gathered(read_gathered(tmp_path / "e0"), stored / "e0")
    report = contents.build(toy_paper.read(), stored, stored / "report")
    assert [table.name for chapter in report.chapters for table in chapter.tables] == ["Settings"]
    assert {judged.verdict for judged in report.judged if judged.claim.id != "M"} == {"not run"}


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["entrpy"], ["entrpy: no such paper; valid: collapse, entropy, flatness"]),
        (["entropy", "--runs", "nowhere"], ["nowhere: no such folder"]),
        (["entropy", "--runs", "."], ["none of the experiments of entropy, such as e1_baseline"]),
        (["entropy", "--runs", "logs"], ["none of the experiments of entropy"]),
    ],
)
def test_wrong_input_is_one_line(
    arguments: list[str], parts: list[str], tmp_path: Path, monkeypatch, capsys
) -> None:
    write_run(tmp_path / "logs", 0, 0.3, 100)  # nobody asked for it
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("analysis.claims.reading.read", _made_up(toy_paper.read()))
    assert main(["report", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    for part in parts:
        assert part in printed.err
    assert not (tmp_path / "report").exists()


def test_the_command_says_where_it_wrote(runs: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("analysis.claims.reading.read", _made_up(toy_paper.read()))
    assert main(["report", "entropy", "--runs", str(runs)]) == 0
    printed = capsys.readouterr().out
    assert "3 reproduced" in printed
    assert f"\n  {runs}/report/report.{{html,md}}\n" in printed
    assert (runs / "report/report.html").exists()


def _made_up(made_up: object) -> object:
    from analysis.claims import reading

    real = reading.read
    return lambda name: made_up if name == "entropy" else real(name)


def test_runs_of_a_set_are_counted_once_and_only_with_an_evaluation(tmp_path: Path) -> None:
    write_run(tmp_path, 0, 0.3, 100)
    (write_run(tmp_path, 1, 0.3, 100, state=None) / "curves.jsonl").write_text("")
    tables = gather.read(tmp_path)
    found = union([tables, None, tables], tmp_path)
    assert found is not None
    assert found.cells["key"].tolist() == ["0300000000000000"]
    assert found.configuration == tables.configuration
    assert union([None], tmp_path) is None


def test_an_experiment_that_was_asked_for_but_not_begun_is_not_run(tmp_path: Path) -> None:
    runs = made_report.logs(tmp_path)
    asked = [{"key": "0900000000000000", "experiment": "entropy/e2_mixing", "seed": 0}]
    manifest.record_asked(runs, asked)
    report = made_report.report(runs)
    assert [judged.claim.id for judged in report.by_verdict()["not run"]] == ["B"]
    assert report.figures[1].missing == "e2_mixing: no run has an evaluation yet"


def test_another_paper_s_runs_are_behind_a_claim_with_a_link_to_them(tmp_path: Path) -> None:
    runs = made_report.stored(tmp_path)
    write_run(tmp_path / "other", 7, 0.1, 300)
    write_gathered(gather.read(tmp_path / "other"), tmp_path / "collapse" / "weight_decay")
    paper = toy_paper.read()
    arms = {**paper.arms, "mixing": ArmNode("collapse/weight_decay")}
    made = contents.build(replace(paper, arms=arms), runs, runs / "report")
    run_set = made.lineage["B"]
    assert run_set is not None and run_set.title == "1 run of collapse/weight_decay"
    (run,) = run_set.runs
    for target in (run.link, *(target for _, target in run_set.links)):
        assert (runs / "report" / target).exists(), target


def test_a_report_on_a_part_of_the_runs_says_so(runs: Path, tmp_path: Path) -> None:
    part = contents.build(toy_paper.read(), runs, tmp_path / "part", where=parse("seed<2"))
    assert part.experiments == {"e1_baseline": 2}
    assert part.notes[0] == "note: only the runs with seed<2"
    with pytest.raises(InputError, match="e1_baseline: --where seed=7: no run; seed has 0, 1, 2"):
        contents.build(toy_paper.read(), runs, tmp_path / "none", where=parse("seed=7"))
