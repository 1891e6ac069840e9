"""The documentation as one site: these pages, the reference, the changelog, and the public pages of `lissive site`.

    python docs/site.py FOLDER

lays all pages together in FOLDER.source, and lets mkdocs write the site; a link that leads nowhere is a fault.
Nothing is fetched.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import reference

TOP = Path(__file__).parents[1]
ROOT_PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
NOT_PAGES = ("*.py", "__pycache__")


def lay_together(source: Path) -> None:
    """All pages in one folder, with the links between them as they are there."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(TOP / "docs", source, ignore=shutil.ignore_patterns(*NOT_PAGES))
    shutil.copytree(TOP / "examples", source / "examples")
    shutil.copy(TOP / "src" / "lissive" / "look" / "static" / "mark.svg", source / "images")
    for name in ROOT_PAGES:
        text = (TOP / name).read_text(encoding="utf-8")
        # below docs/ no longer: README.md is taken by the index of the documentation
        text = re.sub(r"\]\(docs/", "](", text)
        (source / {"README.md": "lissive.md"}.get(name, name)).write_text(text, encoding="utf-8")
    for page in source.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        text = re.sub(r"\]\(\.\./README\.md", "](lissive.md", text)
        text = re.sub(r"\]\(\.\./(CHANGELOG|CONTRIBUTING|SECURITY)\.md", r"](\1.md", text)
        text = re.sub(r"\]\(\.\./\.\./examples/", "](../examples/", text)
        text = re.sub(r"\]\(LICENSE\)", "](LICENSE.txt)", text)
        page.write_text(text, encoding="utf-8")
    shutil.copy(TOP / "LICENSE", source / "LICENSE.txt")
    reference.main(source / "reference")


def main(out: Path) -> int:
    source = out.with_name(f"{out.name}.source")
    lay_together(source)
    lissive = Path(sys.executable).with_name("lissive")
    subprocess.run([lissive, "site", source / "public", "--force"], check=True)
    config = source.with_suffix(".yml")
    text = (TOP / "mkdocs.yml").read_text(encoding="utf-8")
    config.write_text(text.replace("docs_dir: docs", f"docs_dir: {source.absolute()}"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-f", config, "-d", out.absolute()],
        env={"NO_MKDOCS_2_WARNING": "1", "PATH": "/usr/bin:/bin"},
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
