"""Shows anew what the software says now: the picture and the answer in both READMEs. python -m tests.docs.rewrite"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docs.pages import ROOT, blocks, read
from tests.docs.picture import FILE, draw
from tests.serving import clean_environment, run_service

READMES = ("README.md", "README.zh-CN.md")
PLAIN_LIST = re.compile(r"\[\s+([^\[\]{}]*?)\s+\]")


def main() -> None:
    """Writes the three files."""
    FILE.write_text(draw(), encoding="utf-8")
    with TemporaryDirectory() as name:
        folder = Path(name)
        with run_service([sys.executable, "-m", "service", "serve"], folder) as url:
            for readme in READMES:
                script = next(block.text for block in blocks(readme) if block.language == "bash")
                # The first answer after a start says nothing about the usual latency.
                for _ in range(3):
                    answer = ask(script, folder, url)
                before, fence, after = read(readme).partition("```json\n")
                after = after[after.index("```") :]
                (ROOT / readme).write_text(f"{before}{fence}{pretty(answer)}\n{after}", encoding="utf-8")


def ask(script: str, folder: Path, url: str) -> object:
    """What the service at `url` answers to the lines of `script`, which print one answer."""
    command = ["bash", "-c", script.replace("http://127.0.0.1:8000", url)]
    done = subprocess.run(
        command, cwd=folder, env=clean_environment() | {"no_proxy": "*"}, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def pretty(answer: object) -> str:
    """JSON with lists of plain values on one line."""
    text = json.dumps(answer, ensure_ascii=False, indent=2)
    return PLAIN_LIST.sub(lambda found: "[" + re.sub(r"\s*\n\s*", " ", found[1]) + "]", text)


if __name__ == "__main__":
    main()
