"""Installs two conda packages that are made here, for `make-installed`.

make-conda.py CHANNEL PREFIX"""

import asyncio
import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path

import rattler

CHANNEL = "https://conda.anaconda.org/conda-forge/"
channel, prefix = (Path(path) for path in sys.argv[1:])
records = []
for name, version, build, license, depends, files in [
    ("zed", "1.2.11", "h90dfc92_4", "Zlib", ["__glibc >=2.17"], ["include/zed.h", "lib/libzed.a"]),
    ("py-thing", "4.0.0rc1", "pyhd8ed1ab_0", "BSD-3-Clause", ["zed >=1.2,<2", "gone"], ["share/t"]),
]:
    noarch = build.startswith("py")
    subdir = "noarch" if noarch else "linux-64"
    index = {
        "name": name,
        "version": version,
        "build": build,
        "build_number": 4,
        "license": license,
        "subdir": subdir,
        "depends": depends,
    }
    if noarch:
        index["noarch"] = "generic"
    paths = [
        {
            "_path": file,
            "path_type": "hardlink",
            "sha256": hashlib.sha256(b"").hexdigest(),
            "size_in_bytes": 0,
        }
        for file in files
    ]
    content = {file: "" for file in files} | {
        "info/index.json": json.dumps(index),
        "info/paths.json": json.dumps({"paths_version": 1, "paths": paths}),
        "info/files": "\n".join(files),
    }
    file = channel / subdir / f"{name}-{version}-{build}.tar.bz2"
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, "w:bz2") as archive:
        for path, text in content.items():
            info = tarfile.TarInfo(path)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    about = channel / "index.json"
    about.write_text(json.dumps(index))
    bytes = file.read_bytes()
    record = rattler.PackageRecord.from_index_json(
        about,
        size=len(bytes),
        sha256=hashlib.sha256(bytes).hexdigest(),
        md5=hashlib.md5(bytes).hexdigest(),
    )
    records.append(rattler.RepoDataRecord(record, file.name, file.as_uri(), CHANNEL))
specs = [rattler.MatchSpec("py-thing")._match_spec]
asyncio.run(rattler.install(records, prefix, show_progress=False, requested_specs=specs))
