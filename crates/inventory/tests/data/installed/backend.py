"""Builds wheels of a project without any other package, for pip (PEP 517).

The project's `pyproject.toml` names it as `build-backend` with an empty
`requires`; `METADATA` beside it becomes the wheel's."""

import base64
import hashlib
import re
import zipfile
from pathlib import Path


def build_wheel(directory, config_settings=None, metadata_directory=None):
    metadata = Path("METADATA").read_text()
    name, version = (
        re.sub(r"[-_.]+", "_", re.search(rf"^{field}: (.*)$", metadata, re.M)[1])
        if field == "Name"
        else re.search(rf"^{field}: (.*)$", metadata, re.M)[1]
        for field in ("Name", "Version")
    )
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": "",
        f"{name}/a, b.txt": "a comma",
        f"{name}-{version}.data/scripts/{name}-run": "#!python\n",
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: backend\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
        quoted = f'"{path}"' if "," in path else path
        rows.append(f"{quoted},sha256={digest.rstrip(b'=').decode()},{len(text)}\n")
    files[f"{info}/RECORD"] = "".join(rows) + f"{info}/RECORD,,\n"
    wheel = f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(Path(directory, wheel), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel
