"""The web client cannot drift from the interface: its types are what the interface generates."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from cityloop.serve.app import create_app

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"


def test_the_clients_description_and_types_are_regenerated_unchanged(tmp_path: Path) -> None:
    described = create_app({}).openapi()
    assert json.loads((WEB / "openapi.json").read_text(encoding="utf-8")) == described, "run: make api"
    source, target = tmp_path / "openapi.json", tmp_path / "schema.ts"
    source.write_text(json.dumps(described), encoding="utf-8")
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = ["node", "node_modules/openapi-typescript/bin/cli.js", str(source), "-o", str(target)]
    subprocess.run(command, cwd=WEB, check=True, capture_output=True, env={**os.environ, "PATH": path})
    assert target.read_text(encoding="utf-8") == (WEB / "src" / "api" / "schema.ts").read_text(encoding="utf-8")
