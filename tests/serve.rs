//! The server through a real socket: its answers are those of the library, and what is hostile gets an answer or the door.

#[path = "cube/landscape.rs"]
mod landscape;

use landscape::{Landscape, STEPS, truth};
use probav_ard::cube::{self, Area, Crs, Format, GridChoice, Limits, Request, Resample, Source};
use probav_ard::serve::{Settings, serve};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(change: impl FnOnce(&mut Settings)) -> Server {
        let mut settings = Settings {
            out: Landscape::shared().root().to_path_buf(),
            bind: "127.0.0.1:0".parse().unwrap(),
            max_cells: 2_000_000,
            max_time: Duration::from_secs(60),
            max_concurrent: 2,
        };
        change(&mut settings);
        let stop = Arc::new(AtomicBool::new(false));
        let (told, address) = mpsc::channel();
        let flag = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            serve(&settings, &flag, |a| told.send(a).unwrap()).unwrap();
        });
        Server {
            address: address.recv().unwrap(),
            stop,
            thread: Some(thread),
        }
    }

    fn get(&self, path: &str) -> Answer {
        let host = self.address;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        self.send(request.as_bytes()).expect("an answer")
    }

    /// Sends bytes and reads to the end; `None` where the server closes without an answer.
    fn send(&self, bytes: &[u8]) -> Option<Answer> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(120)))
            .unwrap();
        // the server may close before it has read all
        let _ = stream.write_all(bytes);
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        Answer::of(&all)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn of(all: &[u8]) -> Option<Answer> {
        let end = all.windows(4).position(|w| w == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&all[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Answer {
            status,
            head,
            body: all[end + 4..].to_vec(),
        })
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

const POINT: &str = "/collections/stack/position?coords=POINT(6.7%2050.3)";

#[test]
fn pages_lead_to_collections_and_their_queries() {
    let server = Server::start(|_| {});
    let landing = server.get("/").json();
    let hrefs: Vec<&str> = landing["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l["href"].as_str().unwrap())
        .collect();
    assert_eq!(hrefs.len(), 3);
    for href in hrefs {
        let path = href
            .strip_prefix(&format!("http://{}", server.address))
            .unwrap();
        assert_eq!(server.get(path).status, 200, "{href}");
    }
    let all = server.get("/collections").json();
    assert_eq!(
        all["collections"].as_array().unwrap().len(),
        1,
        "only what has products"
    );
    let stack = server.get("/collections/stack").json();
    let bbox: Vec<f64> = stack["extent"]["spatial"]["bbox"][0]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect();
    assert!(
        bbox[0] < 5.95 && bbox[2] > 7.5 && bbox[1] < 49.7 && bbox[3] > 50.5,
        "{bbox:?}"
    );
    assert_eq!(
        stack["extent"]["temporal"]["interval"][0],
        serde_json::json!(["2014-12-17T00:00:00Z", "2014-12-27T00:00:00Z"])
    );
    assert!(stack["parameter_names"]["NIR_UNC"].is_object());
    assert!(stack["data_queries"]["cube"]["link"]["href"].is_string());
}

#[test]
fn answers_are_those_of_the_library() {
    let server = Server::start(|_| {});
    let land = Landscape::shared();
    static GO: AtomicBool = AtomicBool::new(false);
    let limits = Limits {
        max_cells: 100_000_000,
        stop: &GO,
    };
    let request = |area, names: &[&str]| Request {
        area,
        source: Source::Stack,
        from: None,
        to: None,
        variables: names.iter().map(|n| n.to_string()).collect(),
        mask: None,
        grid: GridChoice::default(),
        resample: Resample::Nearest,
    };
    let points = Area::Points(vec![(6.7, 50.3), (7.5, 50.4)]);
    let plan = cube::plan(land.root(), &request(points, &["RED", "NDVI"])).unwrap();
    let own = cube::csv(&plan.gather(&limits).unwrap().0);
    let answer = server.get(
        "/collections/stack/position?coords=MULTIPOINT((6.7%2050.3),(7.5%2050.4))&parameter-name=RED,NDVI&f=CSV",
    );
    assert_eq!((answer.status, answer.text()), (200, own));
    assert!(answer.head.contains("content-type: text/csv"));

    // CoverageJSON against the truth
    let answer = server
        .get(&format!("{POINT}&parameter-name=NIR&resample=bilinear"))
        .json();
    let coverage = &answer["coverages"][0];
    let values = coverage["ranges"]["NIR"]["values"].as_array().unwrap();
    assert_eq!(values.len(), STEPS.len());
    for (k, v) in values.iter().enumerate() {
        let off = v.as_f64().unwrap() * 1e4 - truth(6.7, 50.3, STEPS.start + k as i32, 2);
        assert!(off.abs() <= landscape::BILINEAR_BOUND, "{off}");
    }

    let folder = tempfile::tempdir().unwrap();
    let area = Area::Bbox([6.7, 50.3, 6.8, 50.35], Crs::LON_LAT);
    let mut wanted = request(area, &["SWIR"]);
    wanted.grid.crs = Some(Crs::from_epsg(3035).unwrap());
    wanted.from = chrono::NaiveDate::from_ymd_opt(2014, 12, 25);
    let plan = cube::plan(land.root(), &wanted).unwrap();
    let path = "/collections/stack/cube?bbox=6.7,50.3,6.8,50.35&crs=EPSG:3035&parameter-name=SWIR&datetime=2014-12-25/..";
    plan.write(&folder.path().join("own.tif"), Format::GeoTiff, &limits)
        .unwrap();
    let answer = server.get(&format!("{path}&f=GeoTIFF"));
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        std::fs::read(folder.path().join("own.tif")).unwrap()
    );
    let answer = server.get(&format!("{path}&f=NetCDF"));
    let file = folder.path().join("theirs.nc");
    std::fs::write(&file, &answer.body).unwrap();
    let swir: Vec<i16> = netcdf::open(&file)
        .unwrap()
        .variable("SWIR")
        .unwrap()
        .get_values(..)
        .unwrap();
    let (own, _) = plan.gather(&limits).unwrap();
    assert!(
        own.values[0]
            .iter()
            .zip(&swir)
            .all(|(a, b)| *a == i32::from(*b))
    );
    assert_eq!(own.values[0].len(), swir.len());

    let ring = "POLYGON((6.7%2050.3,6.8%2050.3,6.8%2050.4,6.7%2050.3))";
    let answer = server.get(&format!(
        "/collections/stack/area?coords={ring}&parameter-name=RED"
    ));
    let grid = answer.json();
    assert_eq!(grid["domain"]["domainType"], "Grid");
    let shape: Vec<u64> = grid["ranges"]["RED"]["shape"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_u64().unwrap())
        .collect();
    let values = grid["ranges"]["RED"]["values"].as_array().unwrap();
    assert_eq!(shape.iter().product::<u64>(), values.len() as u64);
    // a triangle fills half of its box
    let missing = values.iter().filter(|v| v.is_null()).count() as f64 / values.len() as f64;
    assert!((0.35..0.65).contains(&missing), "{missing}");
}

#[test]
fn what_is_wrong_is_told_with_the_status_of_the_standard() {
    let server = Server::start(|_| {});
    for (status, path) in [
        (404, "/nothing"),
        (404, "/collections/landsat"),
        (
            404,
            "/collections/landsat/position?coords=POINT(6.7%2050.3)",
        ),
        (
            404,
            "/collections/stack/trajectory?coords=POINT(6.7%2050.3)",
        ),
        (404, "/collections/..%2f..%2fetc%2fpasswd"),
        (
            404,
            "/collections/stack%2f..%2f..%2f/position?coords=POINT(6.7%2050.3)",
        ),
        (404, "/collections/stack/position?coords=POINT(120%2010)"),
        (
            404,
            "/collections/acquisitions-100m/position?coords=POINT(6.7%2050.3)",
        ),
        (
            404,
            "/collections/stack/position?coords=POINT(6.7%2050.3)&datetime=2019-01-01",
        ),
        (400, "/collections/stack/position"),
        (400, "/collections/stack/position?coords=POINT(6.7"),
        (
            400,
            "/collections/stack/position?coords=%7B%22type%22:%22Point%22%7D",
        ),
        (400, "/collections/stack/position?coords=%ff%fe"),
        (
            400,
            "/collections/stack/position?coords=POINT(6.7%2050.3)&parameter-name=GREEN",
        ),
        (
            400,
            "/collections/stack/position?coords=POINT(6.7%2050.3)&datetime=yesterday",
        ),
        (
            400,
            "/collections/stack/position?coords=POINT(6.7%2050.3)&datetime=2018-02-01/2018-01-01",
        ),
        (
            400,
            "/collections/stack/position?coords=POINT(6.7%2050.3)&out=/etc/passwd",
        ),
        (400, "/collections/stack/cube?bbox=6,50,5,49"),
        (400, "/collections/stack/cube?bbox=nan,50,5,49"),
        (
            400,
            "/collections/stack/cube?bbox=6.7,50.3,6.8,50.4&crs=file:///etc/passwd",
        ),
        (
            400,
            "/collections/stack/cube?bbox=6.7,50.3,6.8,50.4&crs=EPSG:3035&resolution=-1",
        ),
        (
            400,
            "/collections/stack/cube?bbox=6.7,50.3,6.8,50.4&crs=EPSG:3035&resolution=1e-300",
        ),
        (413, "/collections/stack/cube?bbox=6,50,7,50.4&f=NetCDF"),
        (
            413,
            "/collections/stack/cube?bbox=-180,-80,180,80&crs=EPSG:4326&resolution=0.01",
        ),
        (
            413,
            "/collections/stack/cube?bbox=6.5,50.2,6.9,50.4&f=CSV&crs=EPSG:3035&resolution=10",
        ),
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        let words = answer.json();
        assert_eq!(words["code"], status.to_string());
        assert!(!words["description"].as_str().unwrap().is_empty());
        let root = Landscape::shared().root().to_str().unwrap();
        assert!(!answer.text().contains(root), "{path}");
    }
    let post = format!(
        "POST {POINT} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{]"
    );
    assert_eq!(server.send(post.as_bytes()).unwrap().status, 405);
}

#[test]
fn hostile_clients_get_the_door_and_others_their_answers() {
    let server = Server::start(|_| {});
    // an address of ten megabytes, a head without end
    let long = format!(
        "GET /{} HTTP/1.1\r\nHost: x\r\n\r\n",
        "a".repeat(10_000_000)
    );
    if let Some(answer) = server.send(long.as_bytes()) {
        assert!((400..500).contains(&answer.status), "{}", answer.status);
    }
    let many = "X-Filler: abcdefghijklmnopqrstuvwxyz\r\n".repeat(5000);
    if let Some(answer) = server.send(format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes()) {
        assert!((400..500).contains(&answer.status), "{}", answer.status);
    }
    if let Some(answer) = server.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n") {
        assert_eq!(answer.status, 400);
    }
    // half requests, and clients that go in the middle of an answer or never read it
    let mut open = Vec::new();
    for _ in 0..40 {
        let mut half = TcpStream::connect(server.address).unwrap();
        half.write_all(b"GET /collections HT").unwrap();
        open.push(half);
    }
    for _ in 0..6 {
        let mut gone = TcpStream::connect(server.address).unwrap();
        let path = "/collections/stack/cube?bbox=6.3,50.2,6.9,50.4&parameter-name=RED&f=NetCDF";
        write!(gone, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    }
    let answer = server.get(&format!("{POINT}&f=CSV"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    // a head that does not come is not waited for for ever: the server closes
    let mut slow = open.pop().unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).unwrap();
    if let Some(answer) = Answer::of(&rest) {
        assert_eq!(answer.status, 408);
    }
    assert_eq!(server.get(&format!("{POINT}&f=CSV")).status, 200);
}

#[test]
fn time_and_number_are_limited_and_said() {
    let server = Server::start(|s| {
        s.max_time = Duration::from_nanos(1);
        s.max_concurrent = 1;
    });
    let answer =
        server.get("/collections/stack/cube?bbox=6.3,50.2,6.9,50.4&parameter-name=RED&f=NetCDF");
    assert_eq!(answer.status, 503);
    assert!(answer.head.contains("retry-after:"));
    assert!(answer.text().contains("smaller"));
    drop(server);
    // many at once: each gets its values or is asked to come again
    let server = Server::start(|s| s.max_concurrent = 1);
    let done: Vec<u16> = std::thread::scope(|scope| {
        let ask = || server.get(&format!("{POINT}&f=CSV")).status;
        let all: Vec<_> = (0..24).map(|_| scope.spawn(ask)).collect();
        all.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(done.iter().all(|s| matches!(s, 200 | 503)), "{done:?}");
    assert!(done.contains(&200));
}

#[test]
fn the_verb_listens_answers_and_ends_in_order() {
    let binary = env!("CARGO_BIN_EXE_probav-ard");
    let mut child = std::process::Command::new(binary)
        .args(["serve", "--bind", "127.0.0.1:0"])
        .arg(Landscape::shared().root())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    let address = line.trim().strip_prefix("listening at http://").unwrap();
    let address: SocketAddr = address.trim_end_matches('/').parse().unwrap();
    assert!(address.ip().is_loopback());
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    assert_eq!(Answer::of(&all).unwrap().status, 200);
    // SAFETY: a signal to a child of our own that has not been waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGTERM) };
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
