//! The page of the real command in a real browser, through ChromeDriver
//! (W3C WebDriver). Nothing but the loopback is spoken to.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::{Home, root, shared, skip};

/// A browser and the driver that commands it; both end with it.
struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    fn start() -> Option<Self> {
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let (Ok(mut driver), Some(chromium)) = (driver, chromium()) else {
            skip("there is no Chromium or no ChromeDriver");
            return None;
        };
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.rsplit_once("on port ")?;
            port.trim_end_matches('.')
                .parse()
                .ok()
                .filter(|port| *port > 0)
        });
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Browser {
            driver,
            port: port.unwrap(),
            session: String::new(),
            _profile: profile,
        };
        let folder = format!("--user-data-dir={}", browser._profile.path().display());
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            &folder,
        ];
        let session = browser.ask(
            "POST",
            "/session",
            &json!({"capabilities": {"alwaysMatch": {
                "goog:chromeOptions": {"binary": chromium, "args": arguments},
                "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
            }}}),
        );
        let id = session["sessionId"].as_str().unwrap();
        browser.session = format!("/session/{id}");
        Some(browser)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let body = if method == "POST" {
            body.to_string()
        } else {
            String::new()
        };
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut reader = BufReader::new(stream);
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line).unwrap() > 2 {
            let header = line.to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer).unwrap();
        let mut answer: Value = serde_json::from_slice(&answer).unwrap();
        let value = answer["value"].take();
        assert!(value["error"].is_null(), "{path}: {value}");
        value
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", &format!("{}{path}", self.session), body)
    }

    /// A command of Chromium's own protocol.
    fn cdp(&self, command: &str, parameters: &Value) -> Value {
        self.post(
            "/goog/cdp/execute",
            &json!({"cmd": command, "params": parameters}),
        )
    }

    fn open(&self, page: &Path) {
        self.post(
            "/url",
            &json!({"url": format!("file://{}", page.display())}),
        );
    }

    /// What a function body returns in the page.
    fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    fn number(&self, script: &str) -> u64 {
        let value = self.run(script);
        let number = value.as_f64();
        assert!(number.is_some(), "{script}: {value}");
        number.unwrap() as u64
    }

    /// Ids of the findings that are in the page's order and not filtered out.
    fn ids(&self) -> Vec<String> {
        let ids = self.run(
            "return Array.from(document.querySelectorAll('tr.finding:not([hidden]) .c-id'))\
             .map(function (cell) { return cell.textContent; });",
        );
        serde_json::from_value(ids).unwrap()
    }

    fn click(&self, selector: &str) {
        self.run(&format!(
            "document.querySelector({}).click();",
            json!(selector)
        ));
    }

    fn type_search(&self, text: &str) {
        let script = format!(
            "var field = document.getElementById('search'); field.value = {}; \
             field.dispatchEvent(new Event('input'));",
            json!(text)
        );
        self.run(&script);
    }

    /// Addresses that the browser asked for since the last call.
    fn requests(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({"type": "performance"}));
        let entries = log.as_array().unwrap().iter();
        entries
            .filter_map(|entry| {
                let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
                let event = &event["message"];
                (event["method"] == "Network.requestWillBeSent").then(|| {
                    event["params"]["request"]["url"]
                        .as_str()
                        .unwrap()
                        .to_owned()
                })
            })
            .collect()
    }

    fn screen(&self, width: u32, height: u32, scheme: &str) {
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700}),
        );
        self.cdp(
            "Emulation.setEmulatedMedia",
            &json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.ask("DELETE", &self.session, &Value::Null);
        }
        // By its own id; the browser is its child and goes with the session.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|dir| {
            ["chromium", "chromium-browser", "google-chrome"].map(|name| dir.join(name))
        })
        .find(|file| file.is_file())
}

/// Least contrast (WCAG 2.2, 1.4.3) of any text with what lies behind it.
const CONTRAST: &str = r"
function rgb(text) { var parts = text.match(/[\d.]+/g).map(Number); return parts.length < 4 ? parts.concat(1) : parts; }
function light(color) {
  var linear = color.slice(0, 3).map(function (one) { one /= 255; return one <= 0.03928 ? one / 12.92 : Math.pow((one + 0.055) / 1.055, 2.4); });
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}
var worst = { ratio: 21, text: '' };
document.querySelectorAll('body *').forEach(function (element) {
  var own = Array.from(element.childNodes).some(function (node) { return node.nodeType === 3 && node.data.trim(); });
  if (!own || !element.getClientRects().length || element.tagName === 'SCRIPT' || element.tagName === 'OPTION') { return; }
  var behind = element;
  while (behind && rgb(getComputedStyle(behind).backgroundColor)[3] === 0) { behind = behind.parentElement; }
  var back = light(rgb(getComputedStyle(behind || document.documentElement).backgroundColor));
  var front = light(rgb(getComputedStyle(element).color));
  var ratio = (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
  if (ratio < worst.ratio) { worst = { ratio: ratio, text: element.className + ': ' + element.textContent.slice(0, 40) }; }
});
return worst;
";

/// The page of the shop and of a real image, with the flaws of the starter
/// database.
fn page(home: &Home) -> Option<PathBuf> {
    let alpine = shared("images/alpine-310.tar.gz")?;
    let shop = root().join("examples/shop");
    let page = home.path().join("page.html");
    let said = home.scan(&[
        "--format",
        "html",
        "--output",
        page.to_str().unwrap(),
        shop.to_str().unwrap(),
        alpine.to_str().unwrap(),
    ]);
    assert_eq!(said.code, 0, "{}", said.err);
    Some(page)
}

#[test]
fn the_page_is_searched_sorted_and_filtered() {
    let home = Home::new();
    let (Some(page), Some(browser)) = (page(&home), Browser::start()) else {
        return;
    };
    browser.screen(1280, 900, "light");
    // The browser's own first page is not ours to answer for.
    browser.post("/url", &json!({"url": "about:blank"}));
    browser.requests();
    browser.open(&page);
    let all = "return document.querySelectorAll('tr.finding').length;";
    let text = fs::read_to_string(&page).unwrap();
    let total = text.matches("<tr class=\"finding\"").count() as u64;
    assert!(total > 200, "{total}");
    assert_eq!(browser.number(all), total);
    let shown = || browser.run("return document.getElementById('shown').textContent;");
    assert_eq!(shown(), format!("{total} findings"));

    // A package with many flaws shows a few, and all when asked.
    let few = browser.ids().len();
    assert!(few < total as usize, "{few}");
    browser.click(".more button");
    assert!(browser.ids().len() > few);

    // Every word must be there, in the row or in its package.
    browser.type_search("cargo.lock smallvec");
    assert_eq!(browser.ids(), ["CVE-2021-25900"]);
    assert_eq!(shown(), format!("1 of {total} findings"));
    browser.type_search("no such thing");
    assert!(browser.ids().is_empty());
    browser.type_search("");

    // Severities are shown and hidden.
    let critical = text.matches("data-severity=\"critical\"").count() - 1;
    for name in ["high", "medium", "unknown", "low"] {
        browser.click(&format!("[data-severity={name}].severity"));
    }
    assert_eq!(browser.ids().len(), critical);
    browser.click("[data-severity=critical].severity");
    assert!(browser.ids().is_empty());
    for name in ["critical", "high", "medium", "unknown", "low"] {
        browser.click(&format!("[data-severity={name}].severity"));
    }
    browser.click("[data-only=fixable]");
    let fixable = text.matches("data-fixable=\"1\"").count();
    assert_eq!(shown(), format!("{fixable} of {total} findings"));
    browser.click("[data-only=fixable]");

    // Without groups every finding has its row; columns sort both ways.
    browser.click("#group");
    let mut ids = browser.ids();
    assert_eq!(ids.len() as u64, total);
    let severities = browser.run(
        "return Array.from(document.querySelectorAll('table:first-of-type tr.finding'))\
         .map(function (row) { return row.dataset.severity; });",
    );
    let severities: Vec<String> = serde_json::from_value(severities).unwrap();
    let ranks = severities.iter().map(|name| {
        ["critical", "high", "medium", "unknown", "low"]
            .iter()
            .position(|one| one == name)
    });
    // Each target is a table of its own: the image's comes behind.
    let ranks: Vec<_> = ranks.take(total as usize - 1).collect();
    assert!(ranks.is_sorted(), "{severities:?}");
    browser.click("[data-column=id] button");
    let sorted = browser.ids();
    ids.sort_by_key(|id| sorted.iter().position(|one| one == id));
    assert_eq!(sorted, ids);
    let years: Vec<u32> = sorted
        .iter()
        .filter_map(|id| id.strip_prefix("CVE-")?.get(..4)?.parse().ok())
        .collect();
    assert!(years.len() > 200 && years.is_sorted(), "{years:?}");
    browser.click("[data-column=id] button");
    let years: Vec<u32> = browser
        .ids()
        .iter()
        .filter_map(|id| id.strip_prefix("CVE-")?.get(..4)?.parse().ok())
        .collect();
    assert!(years.is_sorted_by(|a, b| a >= b), "{years:?}");
    let order = "return document.querySelector('[data-column=id]').getAttribute('aria-sort');";
    assert_eq!(browser.run(order), "descending");

    // The head of the table stays in sight.
    browser.run("scrollTo(0, document.body.scrollHeight / 2);");
    let top = "return document.querySelector('thead th').getBoundingClientRect().top;";
    assert!(browser.number(top) < 100);

    // A link carries a search.
    browser.post("/url", &json!({"url": "about:blank"}));
    let link = format!("file://{}#q=smallvec&sort=fixed", page.display());
    browser.post("/url", &json!({"url": link}));
    assert_eq!(browser.ids(), ["CVE-2021-25900"]);

    let requests = browser.requests();
    let own = format!("file://{}", page.display());
    assert!(!requests.is_empty());
    for request in requests {
        assert!(
            request.starts_with(&own) || request == "about:blank",
            "{request}"
        );
    }
    let log = browser.post("/se/log", &json!({"type": "browser"}));
    assert_eq!(log, json!([]), "the page has errors");
}

#[test]
fn the_page_is_readable_on_a_phone_in_the_dark_and_without_scripts() {
    let home = Home::new();
    let (Some(page), Some(browser)) = (page(&home), Browser::start()) else {
        return;
    };
    for (width, height) in [(1280, 900), (820, 1180), (390, 844), (320, 568)] {
        for scheme in ["light", "dark"] {
            browser.screen(width, height, scheme);
            browser.open(&page);
            let wide = browser.number("return document.documentElement.scrollWidth;");
            assert!(wide <= width.into(), "{width}: {wide}");
            let worst = browser.run(CONTRAST);
            assert!(
                worst["ratio"].as_f64().unwrap() >= 4.5,
                "{width} {scheme}: {worst}"
            );
        }
    }
    browser.cdp(
        "Emulation.setScriptExecutionDisabled",
        &json!({"value": true}),
    );
    browser.open(&page);
    let visible = |selector: &str| {
        browser.number(&format!(
            "return Array.from(document.querySelectorAll({})).filter(function (one) \
             {{ return one.getClientRects().length; }}).length;",
            json!(selector)
        ))
    };
    let text = fs::read_to_string(&page).unwrap();
    let total = text.matches("<tr class=\"finding\"").count() as u64;
    assert_eq!(visible("tr.finding"), total);
    assert_eq!(visible(".gaps"), 1);
    // What would do nothing is not there.
    assert_eq!(visible("#search"), 0);
}

/// Names of a package, of a folder and of a version that would be markup.
#[test]
fn names_do_not_become_markup() {
    const EVIL: &str = "<img src=x onerror=\"document.title='owned'\">";
    let home = Home::new();
    let at = |name: &str| home.path().join(name);
    let record = json!({
        "id": "GHSA-evil-evil-evil", "modified": "2026-01-01T00:00:00Z",
        "summary": format!("<script>document.title='owned'</script>{EVIL}"),
        "affected": [{
            "package": {"ecosystem": "npm", "name": EVIL},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}],
        }],
    });
    fs::create_dir_all(at("from/npm")).unwrap();
    fs::write(at("GHSA-evil-evil-evil.json"), record.to_string()).unwrap();
    let zip = Command::new("python3")
        .args([
            "-m",
            "zipfile",
            "-c",
            "from/npm/all.zip",
            "GHSA-evil-evil-evil.json",
        ])
        .current_dir(home.path())
        .status();
    if !zip.is_ok_and(|status| status.success()) {
        skip("there is no Python to write a zip archive");
        return;
    }
    let update = home.run(&["db", "update", "--from", "from", "--db", "db"]);
    assert_eq!(update.code, 0, "{}", update.err);
    let folder = "project <b>&amp;\u{202e}";
    fs::create_dir(at(folder)).unwrap();
    let lock = json!({
        "name": "x", "lockfileVersion": 3,
        "packages": {format!("node_modules/{EVIL}"): {"version": "1.0.0"}},
    });
    fs::write(at(folder).join("package-lock.json"), lock.to_string()).unwrap();
    let page = at("page.html");
    let said = home.scan(&[
        "--db",
        "db",
        "--format",
        "html",
        "--output",
        page.to_str().unwrap(),
        folder,
    ]);
    assert_eq!(said.code, 0, "{}", said.err);
    let Some(browser) = Browser::start() else {
        return;
    };
    browser.open(&page);
    assert_eq!(browser.ids(), ["GHSA-evil-evil-evil"]);
    let name = browser.run("return document.querySelector('.group strong').textContent;");
    assert_eq!(name, EVIL);
    let title = browser.run("return document.querySelector('h1').textContent;");
    assert_eq!(title, folder.replace('\u{202e}', "\u{fffd}"));
    assert_eq!(
        browser.number("return document.querySelectorAll('img, td b, h1 b').length;"),
        0
    );
    assert_eq!(browser.number("return document.scripts.length;"), 1);
    let title = browser.run("return document.title;");
    assert_ne!(title, "owned");
    // Even markup that came in runs nothing: the page allows its script alone.
    browser.run(
        "document.body.insertAdjacentHTML('beforeend', '<img src=data:, onerror=\"document.title=1\">');",
    );
    browser.run("return new Promise(function (done) { setTimeout(done, 300); });");
    assert_eq!(browser.run("return document.title;"), title);
}
