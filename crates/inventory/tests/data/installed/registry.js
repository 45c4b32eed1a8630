// A registry of npm packages on the loopback, for `npm install`: serves every
// package of a folder of folders. Prints its port, ends when its input ends.
//
// node registry.js DIR
"use strict";
const { execFileSync } = require("child_process");
const crypto = require("crypto");
const fs = require("fs");
const http = require("http");
const os = require("os");
const path = require("path");

const tarballs = fs.mkdtempSync(path.join(os.tmpdir(), "registry-"));
const packages = new Map();
for (const folder of fs.readdirSync(process.argv[2])) {
  const from = path.join(process.argv[2], folder);
  const manifest = JSON.parse(fs.readFileSync(path.join(from, "package.json"), "utf8"));
  const name = `${folder}.tgz`;
  const to = path.join(tarballs, name);
  execFileSync("tar", ["-czf", to, "--transform", "s,^\\.,package,", "-C", from, "."]);
  const bytes = fs.readFileSync(to);
  manifest.dist = {
    tarball: name,
    shasum: crypto.createHash("sha1").update(bytes).digest("hex"),
    integrity: "sha512-" + crypto.createHash("sha512").update(bytes).digest("base64"),
  };
  const all = packages.get(manifest.name) ?? { name: manifest.name, "dist-tags": {}, versions: {} };
  all.versions[manifest.version] = manifest;
  all["dist-tags"].latest = manifest.version;
  packages.set(manifest.name, all);
}

const server = http.createServer((request, response) => {
  const wanted = decodeURIComponent(request.url.slice(1));
  const { port } = server.address();
  if (wanted.endsWith(".tgz")) {
    response.end(fs.readFileSync(path.join(tarballs, path.basename(wanted))));
  } else if (packages.has(wanted)) {
    const all = structuredClone(packages.get(wanted));
    for (const one of Object.values(all.versions)) {
      one.dist.tarball = `http://127.0.0.1:${port}/${one.dist.tarball}`;
    }
    response.end(JSON.stringify(all));
  } else {
    response.statusCode = 404;
    response.end("{}");
  }
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume();
process.stdin.on("end", () => {
  fs.rmSync(tarballs, { recursive: true });
  process.exit(0);
});
