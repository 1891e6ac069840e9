"""The page of evidence by axe-core in a browser, in light and dark and on a narrow screen: it finds nothing."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from lissive.evidence import shipped_studies
from lissive.report.evidence_html import evidence_page

pytestmark = pytest.mark.slow
BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
RUN = """axe.run(document, {resultTypes: ["violations"]}).then(
  (r) => ({dark: matchMedia("(prefers-color-scheme: dark)").matches, passes: r.passes.length,
           found: r.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.target.join(" ")).join(", "))}),
  (error) => ({found: [String(error)]})
).then((found) => { document.documentElement.innerHTML = "<pre>" + JSON.stringify(found)
                                                           .replace(/</g, "&lt;") + "</pre>"; });"""


def axe() -> str:
    """The script of axe-core, from the package that has it."""
    found = find_spec("axe_playwright_python") or find_spec("axe_core_python")
    if found is None or found.origin is None:
        pytest.skip("neither axe-playwright-python nor axe-core-python is installed")
    if not BROWSER:
        pytest.skip("no Chromium to show the page")
    return (
        Path(found.origin)
        .with_name("axe.min.js")
        .read_text(encoding="utf-8")
        .replace("</script", "<\\/script")
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    script = f"<script>{axe()}</script><script>{RUN}</script></body>"
    path = tmp_path_factory.mktemp("axe") / "page.html"
    path.write_text(script.join(evidence_page(shipped_studies()).rsplit("</body>", 1)), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("light", ["--window-size=1200,900"]),
        ("dark", ["--window-size=1200,900", "--blink-settings=preferredColorScheme=0"]),
        ("narrow", ["--window-size=390,844"]),
    ],
)
def test_axe_finds_nothing(page: Path, name: str, flags: list[str]) -> None:
    shown = subprocess.run(
        [
            BROWSER,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--virtual-time-budget=120000",
            "--dump-dom",
            *flags,
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = json.loads(html.unescape(re.search(r"<pre>(.*?)</pre>", shown, re.DOTALL)[1]))
    assert found["found"] == []
    assert found["passes"] > 20
    assert found["dark"] == (name == "dark")
