//! Sockets and pipes that somebody deletes while the server runs, and a second server
//! that is started in their place.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use harness::modules::Flavor;
use harness::server::Server;
use harness::wait;

use crate::everywhere::{Everywhere, Transport};

/// The transports with a file.
const LOCAL: [Transport; 6] = [
    Transport::BinrpcUnixStream,
    Transport::BinrpcUnixDatagram,
    Transport::LinesPipe,
    Transport::JsonDatagram,
    Transport::JsonPipe,
    Transport::MiDatagram,
];

/// All sockets and pipes in a directory.
fn places(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("the directory");
    let mut places: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    places.retain(|path| {
        path.symlink_metadata()
            .is_ok_and(|file| file.file_type().is_socket() || file.file_type().is_fifo())
    });
    places.sort();
    places
}

/// The properties of a file, without the time at which it was made.
fn look(path: &Path) -> Option<(u32, u32, u32)> {
    let file = path.symlink_metadata().ok()?;
    Some((file.mode(), file.uid(), file.gid()))
}

fn wait_until_all_serve(everywhere: &Everywhere, server: &Server) {
    for transport in LOCAL {
        assert!(
            everywhere.client(server, transport).is_answered(),
            "{transport:?}"
        );
    }
}

#[test]
fn deleted_sockets_and_pipes_are_made_again_and_removed_at_the_end() {
    let everywhere = Everywhere::new();
    let mut server = everywhere.builder("").start();
    let directory = server.path("");
    wait_until_all_serve(&everywhere, &server);
    let made = places(&directory);
    assert_eq!(made.len(), LOCAL.len(), "{made:?}");
    let looks: Vec<_> = made.iter().map(|path| look(path)).collect();
    // It works more than once, because the new file must be watched, too.
    for _ in 0..2 {
        for path in &made {
            fs::remove_file(path).expect("it is there");
        }
        wait::until("all are there again", || {
            let now: Vec<_> = made.iter().map(|path| look(path)).collect();
            now == looks
        });
        wait_until_all_serve(&everywhere, &server);
    }
    // A file that is moved away is missed as well.
    fs::rename(&made[0], directory.join("away")).expect("it is there");
    wait::until("it is there again", || look(&made[0]) == looks[0]);
    fs::remove_file(directory.join("away")).expect("it is there");
    wait_until_all_serve(&everywhere, &server);
    let status = server.stop();
    assert!(status.success(), "{status}");
    let left = places(&directory);
    assert!(left.is_empty(), "{left:?}");
}

/// A file that somebody else has put there belongs to them.
#[test]
fn another_file_in_the_place_is_left_alone() {
    let everywhere = Everywhere::new();
    let server = everywhere.builder("").start();
    let (socket, other) = (server.path("datagram"), server.path("pipe"));
    let precious = server.path("precious");
    fs::write(&precious, "precious").expect("a new file");
    fs::rename(&precious, &socket).expect("it is there");
    // The same process has recreated its other file, which shows that it has looked.
    fs::remove_file(&other).expect("it is there");
    wait::until("the other is there again", || other.exists());
    assert_eq!(fs::read(&socket).ok().as_deref(), Some(&b"precious"[..]));
    assert!(
        everywhere
            .client(&server, Transport::BinrpcUnixStream)
            .is_answered()
    );
}

/// A directory that was deleted as a whole may come back later.
#[test]
fn a_place_without_its_directory_is_tried_again() {
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl"])
        .file("below/file", "")
        .config(
            r#"
            modparam("ctl", "binrpc", "unix:{dir}/kamailio_ctl")
            modparam("ctl", "binrpc", "unix:{dir}/below/socket")
            "#,
        )
        .start();
    let below = server.path("below");
    // The server may put its socket back before the directory is empty.
    wait::until("it is gone", || fs::remove_dir_all(&below).is_ok());
    wait::until("it is told", || {
        server.log().contains("cannot be made again")
    });
    fs::create_dir(&below).expect("a new one");
    wait::until("it is there again", || below.join("socket").exists());
}

/// A second server does not get an address, whichever module has it.
#[test]
fn a_second_server_takes_no_place_of_the_first() {
    let everywhere = Everywhere::new();
    let first = everywhere.builder("").start();
    for (module, parameter, address) in [
        ("ctl", "binrpc", "unix:{stream}"),
        ("ctl", "binrpc", "unixd:{datagram}"),
        ("ctl", "fifo", "{pipe}"),
        ("jsonrpcs", "dgram_socket", "{rpc.socket}"),
        ("jsonrpcs", "fifo_name", "{rpc.fifo}"),
        ("mi_datagram", "socket_name", "{mi}"),
    ] {
        let (scheme, name) = address.split_once('{').expect("a name");
        let path = first.path(name.trim_end_matches('}'));
        let address = format!("{scheme}{}", path.display());
        let second = Server::builder(Flavor::Rust)
            .modules(["ctl", "jsonrpcs", "mi_datagram"])
            .config(
                r#"
                modparam("ctl", "binrpc", "unix:{dir}/kamailio_ctl")
                modparam("jsonrpcs", "dgram_socket", "{dir}/rpc.socket")
                modparam("jsonrpcs", "fifo_name", "{dir}/rpc.fifo")
                modparam("mi_datagram", "socket_name", "{dir}/mi")
                "#,
            )
            .config(&format!(
                r#"modparam("{module}", "{parameter}", "{address}")"#
            ));
        let ended = second.start_failing();
        let told = format!("{} is in use by process ", path.display());
        assert!(ended.log.contains(&told), "{module}: {}", ended.log);
    }
    wait_until_all_serve(&everywhere, &first);
}
