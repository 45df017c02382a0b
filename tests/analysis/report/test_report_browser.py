"""The report in a real browser: Debian's chromium, without a screen."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest

from analysis.__main__ import main
from analysis.claims import judge, reading
from analysis.claims.schema import Paper
from analysis.runs import gather
from analysis.runs.tables import write_gathered
from tests.helpers import made_report, toy_paper

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--allow-file-access-from-files",
)  # fmt: skip
PHONE, SMALL, DESKTOP = 390, 320, 1200
STORED = Path(__file__).resolve().parents[3] / "outputs/reference/entropy/second_beta"
LARGEST = 3_000_000  # bytes of a page

# Beside the report, with frames as wide as the screens. A frame is measured as it comes, then with
# everything that can be folded open, and the target of a link within the page in view.
MEASURE = """<!DOCTYPE html><meta charset="utf-8"><body><script>
const widths = %s;
const found = {};
for (const width of widths) {
  const frame = document.createElement("iframe");
  frame.width = width; frame.height = 844; frame.style.border = "0";
  frame.onload = () => {
    const page = frame.contentDocument, all = [...page.querySelectorAll("details")];
    const target = page.querySelector("#runs-1");
    found[width] = {
      width: page.documentElement.scrollWidth,
      opened: all.filter(one => one.open).map(one => one.contains(target)),
      images: [...page.images].map(image => image.naturalWidth),
      loaded: frame.contentWindow.performance.getEntriesByType("resource").map(one => one.name),
    };
    all.forEach(one => one.open = true);
    found[width].unfolded = page.documentElement.scrollWidth;
    document.body.dataset.found = JSON.stringify(found);
  };
  frame.src = "report.html#runs-1";
  document.body.append(frame);
}
</script></body>"""


@dataclass(frozen=True)
class Made:
    paper: Paper
    folder: Path
    """with the report"""


@pytest.fixture(scope="module", params=["made up", "entropy"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A report of the made-up paper, and of the real one from runs that are stored: a baseline of
    four seeds without any other experiment, so that some claims are judged and some not run."""
    if CHROMIUM is None:
        pytest.skip("no chromium (Debian's package chromium)")
    folder = tmp_path_factory.mktemp("report")
    if request.param == "made up":
        runs = made_report.stored(folder)
        made_report.report(runs)
        return Made(toy_paper.read(), runs / "report")
    stored = gather.read(STORED)
    few = stored.cells["seed"].lt(4) & stored.cells["optimizer.betas"].astype(str).str.contains(
        "0.999"
    )
    write_gathered(stored.only(stored.cells.loc[few, "key"]), folder / "e1_baseline")
    assert main(["report", "entropy", "--runs", str(folder)]) == 0
    return Made(reading.read("entropy"), folder / "report")


def chromium(profile: Path, *arguments: str) -> str:
    line = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=True, timeout=300).stdout


@pytest.fixture(scope="module")
def dom(made: Made, tmp_path_factory: pytest.TempPathFactory) -> str:
    page = made.folder / "report.html"
    return chromium(tmp_path_factory.mktemp("profile"), "--dump-dom", page.as_uri())


def test_every_claim_is_there_with_its_verdict(made: Made, dom: str) -> None:
    articles = {
        unescape(id): (unescape(verdict), content)
        for id, verdict, content in re.findall(
            r'<article [^>]*data-claim="([^"]*)" data-verdict="([^"]*)">(.*?)</article>', dom, re.S
        )
    }
    assert list(articles) == [claim.id for claim in made.paper.claims]
    for claim in made.paper.claims:
        judged, content = articles[claim.id]
        said = unescape(re.sub(r"<[^>]*>", " ", content))
        assert judged in judge.VERDICTS
        for part in (claim.id, judged, claim.statement, claim.published, claim.where):
            assert part in said
    found = {judged for judged, _ in articles.values()}
    assert {"not run", "used for calibration"} <= found
    assert found & {"reproduced", "not reproduced", "inconclusive"}


def test_every_figure_is_there_or_says_what_is_missing(made: Made, dom: str) -> None:
    articles = dict(re.findall(r'<article [^>]*data-figure="(\d+)">(.*?)</article>', dom, re.S))
    numbers = made.paper.figure_numbers()
    assert list(articles) == list(map(str, numbers))
    drawn = {number for number, content in articles.items() if "<img " in content}
    assert drawn
    for number in articles.keys() - drawn:
        assert "Not drawn: " in articles[number]


def test_on_a_phone_and_alone(made: Made, tmp_path: Path) -> None:
    """Nothing but tables and figures scrolls sideways, pictures show, a link opens the runs behind
    a claim, and nothing is loaded."""
    widths = (PHONE, SMALL, DESKTOP)
    around = made.folder / "around.html"
    around.write_text(MEASURE % list(widths))
    dom = chromium(tmp_path, "--dump-dom", around.as_uri())
    found: dict[str, Any] = json.loads(unescape(re.findall(r'data-found="([^"]*)"', dom)[0]))
    assert set(found) == set(map(str, widths))
    for width, measured in found.items():
        assert measured["width"] == measured["unfolded"] == int(width)
        assert measured["opened"] == [True]
        assert measured["images"]
        assert all(measured["images"])
        assert measured["loaded"] == []


def test_it_can_be_seen_and_is_light(made: Made, tmp_path: Path) -> None:
    page, shot = made.folder / "report.html", tmp_path / "phone.png"
    chromium(
        tmp_path / "profile", f"--window-size={PHONE},844", f"--screenshot={shot}", page.as_uri()
    )
    image = matplotlib.image.imread(shot)
    assert image.shape[:2] == (844, PHONE)
    assert image[..., :3].std() > 0.05  # something is on it
    assert page.stat().st_size < LARGEST
