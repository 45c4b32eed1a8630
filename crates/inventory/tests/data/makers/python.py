"""Pipenv, PDM and the lock files of PEP 751, by pip, uv and PDM.

Run by `make-locks`, whose names it uses. Needs pipenv, pdm, uv and a pip of 2025 or later.
"""

WHEEL = ("https://files.pythonhosted.org/packages/d9/5a/e7c31adbe875f2abbb91bd84cf2dc52d792b5a01506781dbcf25c91daf11/"
         "six-1.16.0-py2.py3-none-any.whl")


def pinned(text):
    """`name==version` of each line of a list of requirements."""
    for line in text.splitlines():
        found = re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", line)
        if found:
            yield found.groups()


@case
def pipenv(root):
    write(root, {
        "Pipfile": f"""[[source]]
url = "https://pypi.org/simple"
verify_ssl = true
name = "pypi"

[packages]
Jinja2 = "==3.1.2"
six = {{file = "{WHEEL}"}}
"zope.event" = "==5.0"
gitty = {{git = "{GIT}", ref = "main"}}
local-project = {{path = "./local", editable = true}}

[dev-packages]
iniconfig = "==2.0.0"
MarkupSafe = "*"
requests = {{version = "==2.31.0", extras = ["socks"]}}
""",
        "local/pyproject.toml": LOCAL,
    })
    env = {"PIPENV_IGNORE_VIRTUALENVS": "1", "WORKON_HOME": str(root / "home"), "PIPENV_YES": "1", "PIPENV_VERBOSITY": "-1"}
    run(root, "pipenv", "lock", env=env)
    main = set(pinned(run(root, "pipenv", "requirements", env=env)))
    dev = set(pinned(run(root, "pipenv", "requirements", "--dev-only", env=env)))
    # What comes from an address has no version in the lists, nor in the file but for the wheel's name.
    rows = {(n, v, None, (n, v) not in main) for n, v in main | dev}
    rows |= {("gitty", "", None, False), ("six", "1.16.0", None, False)}
    names = {"jinja2", "zope-event", "zope.event", "iniconfig", "markupsafe", "requests", "gitty", "six"}
    keep("pipenv", root, "Pipfile.lock", [(n, v, n in names, dev) for n, v, _, dev in rows], more=["Pipfile"])


def pdm_project(root):
    write(root, {
        # One file of PDM's has one version of a package.
        "pyproject.toml": PYTHON.replace('"local-project"', '"local-project @ file:///${PROJECT_ROOT}/local"').replace(
            "\"typing_extensions==4.8.0; python_version < '3.11'\", ", "") + """
[dependency-groups]
dev = ["iniconfig==2.0.0", "MarkupSafe", "nox==2023.4.22"]
test = ["pluggy==1.3.0"]
[tool.pdm]
distribution = false
""",
        "local/pyproject.toml": LOCAL,
    })
    return {"PDM_CHECK_UPDATE": "false", "PDM_CACHE_DIR": str(root / "cache"), "PDM_IGNORE_SAVED_PYTHON": "1"}


def pdm_exported(root, env, *words):
    text = run(root, "pdm", "export", "--format=requirements", "--no-hashes", *words, env=env)
    return set(pinned(text))


@case
def pdm(root):
    env = pdm_project(root)
    run(root, "pdm", "lock", "-G", ":all", env=env)
    productive = pdm_exported(root, env, "-G", "files", "--no-default", "--prod") | pdm_exported(root, env, "--prod")
    everything = pdm_exported(root, env, "-G", ":all")
    direct = {"jinja2", "gitty", "six", "zope-event", "zope.event", "typing-extensions", "python-dotenv", "iniconfig",
              "markupsafe", "nox", "pluggy"}
    rows = {(n, v, n.lower() in direct, (n, v) not in productive) for n, v in everything}
    rows |= {("gitty", "0.3.0", True, False), ("six", "1.16.0", True, False)}
    keep("pdm", root, "pdm.lock", rows, more=["pyproject.toml"])


def pylock(name, root, make):
    write(root, {
        "pyproject.toml": PYTHON.replace('"local-project",', "") +
        '\n[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        "[tool.setuptools]\npy-modules = []\n"})
    make()
    script = """import sys, tomllib
from packaging.pylock import Pylock
for p in Pylock.from_dict(tomllib.load(open("pylock.toml", "rb"))).packages:
    if not p.directory:
        print(p.name, p.version or "", sep="\\t")
"""
    python = pathlib.Path(shutil.which("uv")).resolve().parent / "python"
    rows = [line.split("\t") for line in run(root, str(python), "-c", script).splitlines()]
    # The wheel's name says which version it is.
    keep(name, root, "pylock.toml", [(n, v or ("1.16.0" if n == "six" else ""), None, None) for n, v in rows])


@case
def pylock_pip(root):
    pylock("pylock-pip", root, lambda: run(root, "pip", "lock", ".", "-q", "--no-input", "-o", "pylock.toml"))


@case
def pylock_uv(root):
    def make():
        run(root, "uv", "lock")
        run(root, "uv", "export", "--format=pylock.toml", "--all-groups", "-q", "-o", "pylock.toml")

    pylock("pylock-uv", root, make)
