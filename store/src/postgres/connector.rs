//! Makes connections: which server, with or without TLS, with which settings.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::error::Severity;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Error, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::warn;

use super::birth::Birth;
use super::error::{ConnectError, OpenError, describe};
use super::options::Options;
use super::renewal::Renewals;
use super::session::{Driver, Heard, Purpose, Session, VIEW_CHANNEL};
use super::settings;
use super::timeline::Timelines;

/// Silence after which a connection is probed, and between probes; the third unanswered one ends it.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(3);
const KEEPALIVE_PROBES: u32 = 3;

/// Makes connections to one database.
pub(super) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    timeout: Duration,
    pub(super) timelines: Arc<Timelines>,
    /// Counts what connections for heartbeats are told of views.
    pub(super) view_changes: watch::Sender<u64>,
    pub(super) birth: Arc<Birth>,
}

impl Connector {
    /// Counts in `renewals` what it meets of them.
    pub(super) fn new(
        dsn: &str,
        options: &Options,
        renewals: &watch::Sender<Renewals>,
    ) -> Result<Self, OpenError> {
        let mut config = Config::from_str(dsn).map_err(|error| OpenError::Dsn(describe(&error)))?;
        if config.get_hosts().is_empty() {
            return Err(OpenError::Dsn("it names no host".to_owned()));
        }
        let tls = options.ca_file.as_deref().map(tls).transpose()?;
        match (&tls, config.get_ssl_mode()) {
            (Some(_), _) => config.ssl_mode(SslMode::Require),
            (None, SslMode::Require) => {
                return Err(OpenError::Dsn(
                    "sslmode=require needs a ca_file: the server's certificate is checked against it"
                        .to_owned(),
                ));
            }
            (None, _) => config.ssl_mode(SslMode::Disable),
        };
        config
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .connect_timeout(options.connect_timeout)
            .tcp_user_timeout(options.answer_timeout)
            .keepalives_idle(KEEPALIVE_IDLE)
            .keepalives_interval(KEEPALIVE_INTERVAL)
            .keepalives_retries(KEEPALIVE_PROBES);
        if config.get_application_name().is_none() {
            config.application_name("trunkline");
        }
        Ok(Self {
            config,
            tls,
            timeout: options.connect_timeout,
            timelines: Arc::new(Timelines::new(options.replication, renewals.clone())),
            view_changes: watch::Sender::default(),
            birth: Arc::new(Birth::new(renewals.clone())),
        })
    }

    /// Makes a connection that is ready for our statements.
    pub(super) async fn session(&self, purpose: Purpose) -> Result<Session, ConnectError> {
        let work = async {
            let (client, driver, timeline) = self.dial().await?;
            let session = Session::prepare(client, driver, purpose, timeline).await;
            let session = session.map_err(|error| self.refused(&error))?;
            match purpose {
                Purpose::Write => self
                    .birth
                    .follow(&session)
                    .await
                    .map_err(|fault| self.useless(&fault))?,
                Purpose::Heartbeat => session
                    .listen(VIEW_CHANNEL)
                    .await
                    .map_err(|fault| self.useless(&fault))?,
                Purpose::Read => {}
            }
            Ok(session)
        };
        self.in_time(work).await
    }

    /// Makes a connection that knows nothing of our tables yet.
    pub(super) async fn bare(&self) -> Result<(Client, Driver), ConnectError> {
        let work = async {
            let (client, driver, _) = self.dial().await?;
            Ok((client, driver))
        };
        self.in_time(work).await
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, ConnectError>>,
    ) -> Result<T, ConnectError> {
        // Each host may take the time of one.
        let hosts = u32::try_from(self.config.get_hosts().len().max(1)).unwrap_or(u32::MAX);
        let limit = self.timeout.saturating_mul(hosts.saturating_add(1));
        match tokio::time::timeout(limit, work).await {
            Ok(result) => result,
            Err(_) => Err(ConnectError::Silent {
                hosts: self.hosts(),
                limit,
            }),
        }
    }

    /// Connects to the first server that takes writes, if what it acknowledges may be trusted; says its timeline.
    async fn dial(&self) -> Result<(Client, Driver, u32), ConnectError> {
        let (client, driver) = self.connect().await.map_err(|error| self.refused(&error))?;
        let found = settings::read(&client).await;
        found.map_err(|error| self.refused(&error))?.check()?;
        let timeline = self.timelines.read(&client).await;
        let timeline = timeline.map_err(|error| self.refused(&error))?;
        self.timelines.meet(timeline)?;
        Ok((client, driver, timeline))
    }

    async fn connect(&self) -> Result<(Client, Driver), Error> {
        if let Some(tls) = &self.tls {
            let (client, connection) = self.config.connect(tls.clone()).await?;
            Ok((client, drive(connection)))
        } else {
            let (client, connection) = self.config.connect(NoTls).await?;
            Ok((client, drive(connection)))
        }
    }

    fn refused(&self, error: &Error) -> ConnectError {
        self.useless(&describe(error))
    }

    fn useless(&self, reason: &impl ToString) -> ConnectError {
        ConnectError::Refused {
            hosts: self.hosts(),
            reason: reason.to_string(),
        }
    }

    /// Where the servers are, for people.
    pub(super) fn hosts(&self) -> String {
        let ports = self.config.get_ports();
        let port = |index| ports.get(index).or(ports.first()).copied().unwrap_or(5432);
        let hosts = self.config.get_hosts().iter().enumerate();
        let hosts = hosts.map(|(index, host)| match host {
            Host::Tcp(name) => format!("{name}:{}", port(index)),
            Host::Unix(path) => path.display().to_string(),
        });
        hosts.collect::<Vec<_>>().join(", ")
    }
}

fn tls(ca_file: &Path) -> Result<MakeRustlsConnect, OpenError> {
    let failed = |reason: String| OpenError::Roots {
        path: ca_file.to_owned(),
        reason,
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(ca_file);
    for certificate in certificates.map_err(|error| failed(error.to_string()))? {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| failed(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(failed("no certificate in it".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// Reads and writes a connection until it ends, in a task of its own.
fn drive<S, T>(mut connection: Connection<S, T>) -> Driver
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let heard = Heard::default();
    let (at_end, hears) = (heard.ended.clone().drop_guard(), heard.clone());
    let task = tokio::spawn(async move {
        let _at_end = at_end;
        while let Some(message) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
            match message {
                Ok(AsyncMessage::Notice(notice)) => {
                    if notice.parsed_severity() == Some(Severity::Warning) {
                        warn!(message = notice.message(), "PostgreSQL warns");
                        hears.warned.store(true, Ordering::Release);
                    }
                }
                Ok(AsyncMessage::Notification(_)) => hears.told.notify_one(),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    });
    Driver::new(task.abort_handle(), heard)
}
