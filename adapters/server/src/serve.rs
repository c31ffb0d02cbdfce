//! `countersign serve`: from a configuration to a server, and to its orderly end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use countersign::{Tenant, Verifier};
use countersign_http::{
    Api, JwtVerifier, Readiness, RenderMetrics, Scopes, StaticKey, activation_router, admin_router,
    describe_metrics, public_router,
};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::banner::Banner;
use crate::bounds::{Bounded, bounded};
use crate::config::Config;
use crate::failure::{Failure, causes};
use crate::http_server;
use crate::shutdown::{Ending, Signals};
use crate::wiring::{self, Deliverers, FirstStart};
use crate::{banner, console};

/// How long a token that is printed for trying things out is good.
const TRIAL_TOKEN: Duration = Duration::from_secs(24 * 3600);
/// How often histograms are tidied when nobody reads them.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);
/// For the last answers of the admin listener.
const ADMIN_DRAIN: Duration = Duration::from_secs(1);

/// Serves until a signal, then ends what was begun.
pub(crate) async fn run(config: Config) -> Result<(), Failure> {
    console::permit(&config)?;
    let signals =
        Signals::listen().map_err(|error| Failure::runtime("cannot listen for signals", &error))?;
    // Taken first: a second server by mistake should not get as far as the secrets.
    let listener = bind("listen", config.listen).await?;
    let admin_listener = bind("admin_listen", config.admin_listen).await?;
    let (listen, admin_listen) = (address(&listener)?, address(&admin_listener)?);
    let render = metrics()?;

    let messages = wiring::messages(&config)?;
    for (locale, messages) in messages.long_sms() {
        tracing::warn!(
            locale,
            messages,
            "the SMS of this language takes several messages, and each is paid for"
        );
    }
    let deliverers = Deliverers::of(&config, &messages)?;
    let verifier = wiring::verifier(&config, FirstStart::Make, &deliverers).await?;
    let jwt = wiring::jwt(&config, FirstStart::Make)?;
    let readiness = Readiness::new(verifier.clone());
    let base = config
        .public_url
        .clone()
        .unwrap_or_else(|| banner::url_of(listen));
    deliverers.listen(&verifier);
    let api = deliverers.reported_to(wiring::api(&config, verifier.clone()), &base);
    let trial = Trial::of(&config, &jwt)?;
    let (router, key_and_token) = public(&config, &api, &verifier, jwt, &base, trial);

    let (stop, stopped) = watch::channel(false);
    let (stop_admin, admin_stopped) = watch::channel(false);
    let admin = admin_router(readiness.clone(), render);
    let server = Server {
        api_task: tokio::spawn(http_server::serve(listener, router, stopped)),
        admin_task: tokio::spawn(http_server::serve(admin_listener, admin, admin_stopped)),
        api,
        readiness,
        stop,
        stop_admin,
    };
    tracing::info!(%listen, %admin_listen, store = %config.store.url, "serving");
    if let Some((key, token)) = key_and_token {
        let shown = Banner {
            base: &base,
            admin: admin_listen,
            config: &config,
            key,
            token,
        };
        shown.print();
    }
    server.until_the_end(&config, signals).await;
    Ok(())
}

/// What lets a newcomer call the API: a key that lives in this process only, and a token.
struct Trial {
    key: String,
    static_key: StaticKey,
    token: Option<String>,
}

impl Trial {
    fn of(config: &Config, jwt: &JwtVerifier) -> Result<Option<Self>, Failure> {
        if !config.draws_a_key() {
            return Ok(None);
        }
        let wrong = |error: &dyn std::error::Error| Failure::runtime("cannot make a key", error);
        let tenant = Tenant::new("default").map_err(|error| wrong(&error))?;
        // Only a shared secret can sign; with a public key there is no token to show.
        let token = jwt.sign(&tenant, TRIAL_TOKEN).ok();
        let (key, static_key) =
            StaticKey::draw(tenant, Scopes::ALL).map_err(|error| wrong(&error))?;
        Ok(Some(Self {
            key: key.reveal().to_owned(),
            static_key,
            token,
        }))
    }
}

type KeyAndToken = (String, Option<String>);

fn public(
    config: &Config,
    api: &Api,
    verifier: &Verifier,
    jwt: JwtVerifier,
    base: &str,
    trial: Option<Trial>,
) -> (Bounded, Option<KeyAndToken>) {
    let (static_key, shown) = match trial {
        Some(Trial {
            key,
            static_key,
            token,
        }) => (vec![static_key], Some((key, token))),
        None => (Vec::new(), None),
    };
    let keys = wiring::api_keys(config, verifier.clone(), static_key);
    let activation = activation_router(keys.clone(), jwt, format!("{base}/v1/verify"));
    let router = public_router(api, &keys, Some(activation));
    let api = api.clone();
    let alone = Arc::new(move || api.under_way_alone());
    (bounded(router, config.max_in_flight, alone), shown)
}

/// All that runs, and the ways to end it.
struct Server {
    api_task: JoinHandle<()>,
    admin_task: JoinHandle<()>,
    api: Api,
    readiness: Readiness,
    stop: watch::Sender<bool>,
    stop_admin: watch::Sender<bool>,
}

impl Server {
    /// Waits for a signal, then: not ready, some more service, no new connections, and a
    /// bounded wait for what is under way. Another signal shortens each wait.
    async fn until_the_end(self, config: &Config, mut signals: Signals) {
        let ending = signals.next().await;
        self.readiness.stop();
        let grace = match ending {
            Ending::Terminate => Duration::from_secs(config.shutdown_grace_seconds),
            Ending::Interrupt => Duration::ZERO,
        };
        tracing::info!(grace_seconds = grace.as_secs(), "stopping: no longer ready");
        tokio::select! {
            () = tokio::time::sleep(grace) => {}
            _ = signals.next() => {}
        }
        self.stop.send_replace(true);
        let drained = async {
            let _ = self.api_task.await;
            self.api.drain().await;
        };
        let bound = Duration::from_secs(config.drain_seconds);
        tokio::select! {
            drained = tokio::time::timeout(bound, drained) => if drained.is_ok() {
                tracing::info!("stopped: all that was begun is done");
            } else {
                tracing::warn!("stopped: some requests or deliveries were not done in time");
            },
            _ = signals.next() => tracing::warn!("stopped at once by a second signal"),
        }
        self.stop_admin.send_replace(true);
        let _ = tokio::time::timeout(ADMIN_DRAIN, self.admin_task).await;
    }
}

async fn bind(field: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| unbound(field, address, &error))
}

fn unbound(field: &str, address: SocketAddr, error: &io::Error) -> Failure {
    let sentence = format!(
        "{field}: cannot listen on {address}: {}; set {field} to a free address of this machine",
        causes(error)
    );
    match error.kind() {
        // Whoever has it may go, as a server does that is being replaced: a restart helps.
        io::ErrorKind::AddrInUse => Failure::Runtime(sentence),
        _ => Failure::Config(sentence),
    }
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener
        .local_addr()
        .map_err(|error| Failure::runtime("cannot listen", &error))
}

/// Installs the recorder of metrics and gives what shows them.
fn metrics() -> Result<RenderMetrics, Failure> {
    let buckets = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ];
    let wrong = |error: &dyn std::error::Error| Failure::runtime("cannot count metrics", error);
    let recorder = PrometheusBuilder::new()
        .set_buckets(&buckets)
        .map_err(|error| wrong(&error))?
        .build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|error| wrong(&error))?;
    describe_metrics();
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut rhythm = tokio::time::interval(METRICS_UPKEEP);
        loop {
            rhythm.tick().await;
            upkeep.run_upkeep();
        }
    });
    Ok(Arc::new(move || handle.render()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_in_use_is_no_mistake_and_one_of_another_machine_is() {
        let held = bind("listen", ([127, 0, 0, 1], 0).into()).await.unwrap();
        let taken = bind("listen", address(&held).unwrap()).await.map(drop);
        assert!(matches!(taken, Err(Failure::Runtime(_))), "{taken:?}");
        let elsewhere = bind("listen", ([192, 0, 2, 1], 0).into()).await.map(drop);
        assert!(
            matches!(elsewhere, Err(Failure::Config(_))),
            "{elsewhere:?}"
        );
    }
}
