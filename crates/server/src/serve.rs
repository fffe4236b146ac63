//! `anemone serve`: from a data directory to a running server, and down again.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use store::{OpenError, Store, StoreError, sqlite};
use tokio::{
    net::{TcpListener, UdpSocket},
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
};

use crate::{
    acme,
    admin::{
        Operations, Order,
        live::Running,
        socket::{CommandSocket, Conversation},
    },
    config::{Config, ConfigError, Home, Listener, Service},
    ext::{muc::visits, notices::Notices, server_info, upload},
    host, housekeeping,
    log::{self, LogControl},
    metrics::Condition,
    net::{
        listen,
        tls::{Tls, TlsError},
    },
    push,
    s2s::{self, verify::Trust},
    secret::{SecretError, ServerSecret},
    server::Server,
    session::{life, resume},
    turn,
};

/// Why a server did not start or did not go on. Every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The levels of the log make no sense.
    #[error("{0}")]
    Log(String),
    /// There is no secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// There is no certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The authorities of `[federation]` cannot be read.
    #[error("{0}")]
    Trust(String),
    /// The key that push services know this server by cannot be read.
    #[error("{0}")]
    Push(String),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed while starting.
    #[error("the database cannot be read: {0}")]
    Store(#[from] StoreError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address} ({service}): {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What it is for.
        service: Service,
        /// Why, and what to do.
        reason: String,
    },
    /// Clients have nowhere to connect to.
    #[error(
        "no address for clients could be opened; set `c2s`, `c2s_tls` or `https` in [listen] to \
         addresses that are free"
    )]
    NoDoor,
    /// The command socket cannot be opened.
    #[error("cannot open {path} for commands: {error}", path = .home.socket().display())]
    Socket {
        /// The data directory.
        home: Home,
        /// What the system says.
        error: io::Error,
    },
    /// The database failed while serving in a way that makes it unsafe to go on.
    #[error("the server stopped because its data is not safe: {0}")]
    Fatal(StoreError),
    /// The system refuses to tell of signals.
    #[error("cannot wait for signals: {0}")]
    Signal(io::Error),
}

/// What comes after a server has gone down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Nothing.
    Stop,
    /// It begins anew.
    Restart,
}

/// Runs the server of a data directory until it is told to stop, by SIGTERM, SIGINT or an administrator.
///
/// # Errors
/// When it cannot start, or must not go on.
pub async fn run(home: Home) -> Result<After, ServeError> {
    let began = Instant::now();
    let (config, secret, log, connections) = prepare(&home)?;
    let tls = Tls::open(&config, &home, SystemTime::now())?;
    let (fatal, mut failures) = mpsc::unbounded_channel();
    let on_fatal: sqlite::OnFatal = Arc::new(move |error: &StoreError| {
        // Nobody listens any more when the server is going down.
        let _ = fatal.send(error.clone());
    });
    let options = sqlite::Options { on_fatal: Some(on_fatal), ..sqlite::Options::default() };
    let store = open_store(&home, options).await?;
    let trust = trusted(&config, &home)?;
    let server = Server::new(config, home.clone(), store.clone(), secret, tls);
    server.gate.bound(connections);
    *server.s2s.trust.write() = Arc::new(trust);
    // Whatever can fail comes before sessions are taken from disk: they would be lost.
    let doors = open_doors(&server)?;
    let socket = CommandSocket::open(&home)
        .map_err(|error| ServeError::Socket { home: home.clone(), error })?;
    server.choose_hashes().await?;
    upload::tidy(&server).await;
    push::restore(&server).await?;
    let resumable = resume::restore(&server).await?;
    visits::wake(&server).await?;
    let waiting = s2s::restore(&server).await?;
    turn::restore(&server).await?;

    server.telling.set(Notices::load(&home.notices()).unwrap_or_else(|error| {
        tracing::warn!(%error, "notices.json cannot be read: nobody is told what it says");
        Notices::default()
    }));
    let orders = watch::Sender::new(None);
    let running = Running { server: server.clone(), home: home.clone(), log, orders };
    let running = Arc::new(running);
    let operations = Arc::new(Operations::live(store, home, running.clone()));
    server.set_operations(operations.clone());
    tokio::spawn(s2s::work::supervise(server.clone()));
    tokio::spawn(push::supervise(server.clone()));
    s2s::presence::refresh_all(&server);
    server_info::refresh(&server).await;
    for (listener, door) in doors {
        door.serve(&server, listener);
    }
    tokio::spawn(turn::run(server.clone()));
    let commands = tokio::spawn(socket.serve(operations));
    let certificates = tokio::spawn(acme::run(server.clone()));
    let keeper = tokio::spawn(housekeeping::run(server.clone()));
    server.metrics.health.set(Condition::Ready);
    host::ready();
    let took = began.elapsed().as_millis();
    tracing::info!(domain = server.domain(), took_ms = took, resumable, waiting, "ready");

    let end = wait(&running, &mut failures).await;
    let after = match &end {
        Ok(Reason::Order(After::Restart)) => After::Restart,
        _ => After::Stop,
    };
    server.metrics.health.set(Condition::Stopping);
    match after {
        After::Stop => host::stopping(),
        // The process stays, and says when it serves again.
        After::Restart => host::reloading(),
    }
    commands.abort();
    // Its socket is gone when the task is.
    let _ = commands.await;
    stop(&server, end).await?;
    let _ = keeper.await;
    let _ = certificates.await;
    Ok(after)
}

/// Whom certificates of other servers are trusted from.
fn trusted(config: &Config, home: &Home) -> Result<Trust, ServeError> {
    let trust = Trust::load(config, home).map_err(ServeError::Trust)?;
    if config.federates() && trust.is_empty() {
        tracing::warn!(
            "this system has no certificate authorities, so no other server can be trusted; install \
             the package ca-certificates"
        );
    }
    Ok(trust)
}

/// What comes before anything is opened: configuration, log, limits of the process, which say how many
/// connections there may be.
fn prepare(home: &Home) -> Result<(Config, ServerSecret, LogControl, u64), ServeError> {
    let config = Config::load(home)?;
    let secret = ServerSecret::load(home)?;
    let log = log::start(&config.log, &secret).map_err(ServeError::Log)?;
    let connections = host::prepare();
    if connections < config.limits.unauthenticated_total {
        tracing::warn!(
            connections,
            "the system allows few open files, so few connections; raise LimitNOFILE or ulimit -n"
        );
    }
    for notice in config.notices() {
        tracing::warn!("{notice}");
    }
    Ok((config, secret, log, connections))
}

/// Opens the database. A command may have it for a moment; a server that answers on its socket is
/// there to stay.
async fn open_store(home: &Home, options: sqlite::Options) -> Result<Store, ServeError> {
    let patience = Instant::now() + IN_USE;
    loop {
        match sqlite::open(&home.database(), options.clone()) {
            Err(error @ OpenError::InUse { .. }) => {
                let served = matches!(Conversation::open(home).await, Ok(Some(_)));
                if served || Instant::now() >= patience {
                    return Err(error.into());
                }
                tokio::time::sleep(AGAIN).await;
            }
            outcome => return Ok(outcome?),
        }
    }
}

/// Opens every address. Connections wait in the kernel until they are accepted.
fn open_doors(server: &Server) -> Result<Vec<(Listener, Door)>, ServeError> {
    let mut doors = Vec::new();
    for listener in server.config().listeners() {
        let (address, service) = (listener.address, listener.service);
        match open(&listener) {
            Ok(door) => doors.push((listener, door)),
            Err(error) => {
                let reason = cannot_listen(&error, address);
                if listener.explicit {
                    return Err(ServeError::Listen { address, service, reason });
                }
                tracing::warn!(%address, %service, "cannot listen: {reason}");
            }
        }
    }
    let inside = |service| {
        use Service::{Bytestreams, Components, Metrics, Turn, TurnTls};
        matches!(service, Metrics | Components | Turn | TurnTls | Bytestreams)
    };
    match doors.iter().any(|(listener, _)| !inside(listener.service)) {
        true => Ok(doors),
        false => Err(ServeError::NoDoor),
    }
}

/// An address that is open.
pub(crate) struct Door {
    connections: TcpListener,
    /// The same port for packets, where clients may come without a connection.
    packets: Option<UdpSocket>,
}

impl Door {
    /// Lets everybody in until the server goes down.
    pub(crate) fn serve(self, server: &Arc<Server>, listener: Listener) {
        let service = listener.service;
        let address = self.connections.local_addr().unwrap_or(listener.address);
        tracing::info!(%address, %service, "listening");
        server.add_port(service, address);
        tokio::spawn(listen::accept(server.clone(), listener, self.connections));
        if let Some(packets) = self.packets {
            tokio::spawn(turn::udp::serve(server.clone(), packets));
        }
    }
}

/// Opens an address. Where the system has no IPv6, `[::]` means all addresses of IPv4.
pub(crate) fn open(listener: &Listener) -> io::Result<Door> {
    let address = listener.address;
    let connections = match listen::bind(address) {
        Err(error) if address.ip().is_unspecified() && is_without_ipv6(&error) => {
            listen::bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), address.port()))?
        }
        outcome => outcome?,
    };
    let packets = match listener.service {
        Service::Turn => {
            let socket = std::net::UdpSocket::bind(connections.local_addr()?)?;
            socket.set_nonblocking(true)?;
            Some(UdpSocket::from_std(socket)?)
        }
        _ => None,
    };
    Ok(Door { connections, packets })
}

fn is_without_ipv6(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

/// Why an address cannot be listened on, and what to do.
pub(crate) fn cannot_listen(error: &io::Error, address: SocketAddr) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "another program uses port {}; stop it, or choose another port in [listen]",
            address.port()
        ),
        io::ErrorKind::PermissionDenied => format!(
            "ports below 1024 need a right that this user does not have; start the server with \
             the unit in packaging/, or choose another port than {} in [listen]",
            address.port()
        ),
        io::ErrorKind::AddrNotAvailable => {
            "this machine does not have that address; look at [listen]".to_owned()
        }
        _ => error.to_string(),
    }
}

/// Why a server goes down.
enum Reason {
    Signal,
    Order(After),
    Failure(StoreError),
}

/// Serves until there is a reason to stop.
async fn wait(
    running: &Arc<Running>,
    failures: &mut mpsc::UnboundedReceiver<StoreError>,
) -> Result<Reason, ServeError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Signal)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(ServeError::Signal)?;
    let mut orders = running.orders.subscribe();
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(Reason::Signal),
            _ = interrupt.recv() => return Ok(Reason::Signal),
            after = due(&mut orders) => return Ok(Reason::Order(after)),
            Some(error) = failures.recv() => return Ok(Reason::Failure(error)),
            _ = hangup.recv() => {
                host::reloading();
                match running.reload() {
                    Ok(sentences) => tracing::info!("{}", sentences.join(" ")),
                    Err(error) => tracing::warn!(%error, "nothing was changed"),
                }
                host::ready();
            }
        }
    }
}

/// Resolves when the time of the last order has come.
async fn due(orders: &mut watch::Receiver<Option<Order>>) -> After {
    loop {
        let order = *orders.borrow_and_update();
        let time = async {
            match order {
                Some(order) => tokio::time::sleep_until(order.at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            // It may be called off, or another one in its place; there is always a sender.
            _ = orders.changed() => continue,
            () = time => {}
        }
        return if order.is_some_and(|order| order.restart) { After::Restart } else { After::Stop };
    }
}

/// Takes the server down: streams are closed, sessions that can be resumed go to disk, and the
/// database is closed. After a failure of the database nothing more is written.
async fn stop(server: &Arc<Server>, end: Result<Reason, ServeError>) -> Result<(), ServeError> {
    tracing::info!("stopping");
    server.shutdown.send_replace(true);
    life::close_all(server);
    let patience = tokio::time::Instant::now() + CLOSING;
    let inside = || server.gate.inside().0 > 0 || !server.s2s.streams.is_empty();
    while inside() && tokio::time::Instant::now() < patience {
        tokio::time::sleep(CLOSING / 100).await;
    }
    if let Reason::Failure(error) = end? {
        return Err(ServeError::Fatal(error));
    }
    server.calendar.keep(server.home());
    if let Err(error) = visits::hibernate(server).await {
        tracing::warn!(%error, "it could not be kept who was in the rooms");
    }
    match resume::hibernate(server).await {
        Ok(sessions) => tracing::info!(sessions, "sessions can be resumed after the next start"),
        Err(error) => tracing::warn!(%error, "sessions could not be kept for resumption"),
    }
    server.store.maintenance.close().await?;
    tracing::info!("stopped");
    Ok(())
}

/// How long to wait for a command that has the database.
const IN_USE: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_millis(50);
/// How long clients and other servers have to take leave.
const CLOSING: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::admin::Order;

    #[tokio::test]
    async fn what_was_called_off_in_time_is_not_carried_out() {
        for _ in 0..16 {
            let at = Instant::now() + Duration::from_millis(5);
            let orders = watch::Sender::new(Some(Order { at, restart: true }));
            let mut seen = orders.subscribe();
            let mut due = pin!(due(&mut seen));
            assert!(timeout(Duration::ZERO, due.as_mut()).await.is_err(), "not yet");
            orders.send_replace(None);
            // Nobody looks before its time has come.
            sleep(Duration::from_millis(8)).await;
            assert!(timeout(Duration::from_millis(1), due).await.is_err());
        }
    }
}
