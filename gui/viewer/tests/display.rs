//! The real window on a virtual display: it gets the focus, shows its first frame, takes keys and
//! clicks, and keeps its session.
//!
//! Needs Xvfb, xdotool and `ImageMagick`'s `import`; where one is missing the test is skipped and says
//! so, unless `WINDTUNNEL_NEEDS_DISPLAY` is set.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// The longest that anything may take on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A virtual display and its number.
fn display() -> (Running, String) {
    let mut server = Command::new("Xvfb")
        .args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1280x800x24",
            "-nolisten",
            "tcp",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("Xvfb is installed");
    let mut number = String::new();
    let mut out = BufReader::new(server.stdout.take().expect("a pipe"));
    out.read_line(&mut number).expect("Xvfb names its display");
    (Running(server), format!(":{}", number.trim()))
}

struct Window {
    display: String,
    folder: PathBuf,
    id: String,
    _program: Running,
}

impl Window {
    /// Starts the window and waits for its first frame.
    fn open(display: &str, folder: &Path) -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_windtunnel-gui"))
            .env("DISPLAY", display)
            .env("WINDTUNNEL_STATE_DIR", folder)
            .env("XDG_RUNTIME_DIR", folder)
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .args(["--theme", "dark"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("the window was built");
        let lines = BufReader::new(program.stderr.take().expect("a pipe")).lines();
        let (sender, receiver) = channel();
        let read = move || {
            for line in lines.map_while(Result::ok) {
                drop(sender.send(line));
            }
        };
        let thread = std::thread::Builder::new().spawn(read);
        drop(thread.expect("a thread"));
        let program = Running(program);
        let mut said = Vec::new();
        loop {
            match receiver.recv_timeout(PATIENCE) {
                Ok(line) if line == "windtunnel: first frame" => break,
                Ok(line) => said.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("no first frame: {}", said.join("\n"))
                }
            }
        }
        let mut window = Self {
            display: display.to_owned(),
            folder: folder.to_owned(),
            id: String::new(),
            _program: program,
        };
        let found = window.xdotool(&["search", "--sync", "--onlyvisible", "--name", "Windtunnel"]);
        found
            .lines()
            .next()
            .unwrap_or_default()
            .clone_into(&mut window.id);
        window.xdotool(&["windowfocus", "--sync", &window.id.clone()]);
        window
    }

    fn xdotool(&self, args: &[&str]) -> String {
        let run = Command::new("xdotool")
            .env("DISPLAY", &self.display)
            .args(args)
            .output()
            .expect("xdotool is installed");
        assert!(run.status.success(), "xdotool {args:?}: {run:?}");
        String::from_utf8_lossy(&run.stdout).into_owned()
    }

    fn press(&self, keys: &str) {
        self.xdotool(&["key", keys]);
        // What a key opens takes a frame, which software draws slowly.
        std::thread::sleep(Duration::from_secs(2));
    }

    fn type_text(&self, text: &str) {
        self.xdotool(&["type", "--delay", "60", text]);
    }

    fn click(&self, x: u32, y: u32) {
        let at = [x.to_string(), y.to_string()];
        self.xdotool(&["mousemove", "--sync", &at[0], &at[1], "click", "1"]);
    }

    /// A picture of the screen.
    fn shot(&self, name: &str) -> Shot {
        let file = self.folder.join(name);
        let shot = Command::new("import")
            .env("DISPLAY", &self.display)
            .args(["-window", "root"])
            .arg(&file)
            .status();
        assert!(shot.expect("import is installed").success());
        let mut bytes = Vec::new();
        let mut png = std::fs::File::open(&file).expect("a picture");
        png.read_to_end(&mut bytes).expect("a picture");
        Shot::new(&bytes)
    }

    /// The session once it contains a text.
    fn session_with(&self, text: &str) -> String {
        let file = self.folder.join("window.json");
        let mut last = String::new();
        for _ in 0..PATIENCE.as_millis() / 200 {
            last = std::fs::read_to_string(&file).unwrap_or_default();
            if last.contains(text) {
                return last;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("the session never had {text}: {last}");
    }
}

/// A picture of the screen.
struct Shot {
    width: usize,
    height: usize,
    samples: usize,
    bytes: Vec<u8>,
}

impl Shot {
    fn new(png: &[u8]) -> Self {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
        decoder.set_transformations(png::Transformations::STRIP_16 | png::Transformations::EXPAND);
        let mut reader = decoder.read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a picture of a screen")];
        let info = reader.next_frame(&mut pixels).expect("a PNG");
        pixels.truncate(info.buffer_size());
        Self {
            width: info.width as usize,
            height: info.height as usize,
            samples: info.color_type.samples(),
            bytes: pixels,
        }
    }

    /// The mean brightness, from 0 to 1.
    fn brightness(&self) -> f64 {
        let sum: u64 = self.bytes.iter().map(|byte| u64::from(*byte)).sum();
        sum as f64 / self.bytes.len() as f64 / 255.0
    }

    /// How many colors there are in a part of the screen, given in shares of its width and height.
    fn colors(&self, x: [f64; 2], y: [f64; 2]) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "shares of sizes of screens"
        )]
        let at = |share: f64, of: usize| (share * of as f64) as usize;
        let (left, right) = (at(x[0], self.width), at(x[1], self.width));
        let rows = at(y[0], self.height)..at(y[1], self.height);
        let mut colors = std::collections::BTreeSet::new();
        for row in rows {
            let line = row * self.width;
            let part = &self.bytes[(line + left) * self.samples..(line + right) * self.samples];
            colors.extend(part.chunks_exact(self.samples));
        }
        colors.len()
    }
}

#[test]
fn the_window_takes_keys_and_clicks_on_a_display() {
    let missing: Vec<&str> = ["Xvfb", "xdotool", "import"]
        .into_iter()
        .filter(|program| !is_installed(program))
        .collect();
    if !missing.is_empty() {
        let needed = std::env::var_os("WINDTUNNEL_NEEDS_DISPLAY").is_some();
        assert!(!needed, "not installed: {}", missing.join(", "));
        eprintln!("skipped: not installed: {}", missing.join(", "));
        return;
    }
    let folder = std::env::temp_dir().join(format!("windtunnel-display-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for the test");
    let (_server, number) = display();
    let window = Window::open(&number, &folder);
    window.session_with("\"theme\":\"Dark\"");
    let dark = window.shot("dark.png").brightness();
    assert!((0.01..0.4).contains(&dark), "{dark}");
    window.press("ctrl+shift+p");
    window.type_text("light theme");
    window.press("Return");
    window.session_with("\"theme\":\"Light\"");
    let light = window.shot("light.png").brightness();
    assert!(dark + 0.3 < light, "{dark} {light}");
    // The first card of the examples.
    window.click(400, 250);
    window.session_with("\"document\":{\"name\":\"");
    // The run may go on for a while.
    std::thread::sleep(Duration::from_secs(4));
    let opened = window.shot("opened.png");
    let panes = [
        ("scenario", [0.0, 0.27], [0.1, 0.95]),
        ("timeline", [0.3, 1.0], [0.15, 0.6]),
        ("critical path", [0.3, 1.0], [0.72, 0.95]),
    ];
    for (pane, x, y) in panes {
        let n = opened.colors(x, y);
        assert!(12 < n, "{pane} has {n} colors");
    }
    drop(window);
    drop(std::fs::remove_dir_all(folder));
}
