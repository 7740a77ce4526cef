//! A server on loopback that has one page, and keeps a record of what is requested.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The server. It ends with the test program.
pub(crate) struct PageServer {
    pub(crate) url: String,
    requested: Arc<Mutex<Vec<String>>>,
}

impl PageServer {
    /// Serves `page` at every path.
    pub(crate) fn start(page: String) -> PageServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/report.html", listener.local_addr().unwrap());
        let requested = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&requested);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                // A browser opens connections in advance: one at a time would wait for a request that never comes.
                let (page, record) = (page.clone(), Arc::clone(&record));
                std::thread::spawn(move || respond(connection, &page, &record));
            }
        });
        PageServer { url, requested }
    }

    /// The request lines so far.
    pub(crate) fn requested(&self) -> Vec<String> {
        self.requested.lock().unwrap().clone()
    }
}

fn respond(mut connection: TcpStream, page: &str, record: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(connection.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    record.lock().unwrap().push(first);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length:";
    let _ = write!(connection, "{head} {}\r\n\r\n{page}", page.len());
}
