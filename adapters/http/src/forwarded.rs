//! Who is at the other end: the peer, or what trusted proxies say about it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};
use ipnet::IpNet;

/// The proxies whose `X-Forwarded-For` is believed; none unless named.
///
/// Each proxy appends the address it was called from, so only what stands to the right
/// of the last address that is no trusted proxy was written by one of them. That
/// address is the source; everything further left the client may have made up.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// Trusts the proxies in these networks.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks.into())
    }

    /// The source of a request; none where the server did not note the peer
    /// (`ConnectInfo<SocketAddr>`).
    #[must_use]
    pub fn source(&self, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
        let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
        Some(self.resolve(peer.ip(), headers))
    }

    /// The client that a trusted proxy forwards for: none where the peer is not trusted
    /// or was not noted. A proxy that names nobody is the client itself.
    #[must_use]
    pub fn client(&self, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
        let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
        let peer = peer.ip().to_canonical();
        self.trusts(peer).then(|| self.resolve(peer, headers))
    }

    fn resolve(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut source = peer.to_canonical();
        if !self.trusts(source) {
            return source;
        }
        // Several headers are one list, in order (RFC 9110, section 5.3).
        let hops = headers
            .get_all("x-forwarded-for")
            .iter()
            .collect::<Vec<_>>();
        let hops = hops
            .iter()
            .rev()
            .flat_map(|value| value.as_bytes().rsplit(|b| *b == b','));
        for hop in hops {
            if !self.trusts(source) {
                break;
            }
            let Some(address) = std::str::from_utf8(hop).ok().and_then(parse_hop) else {
                break;
            };
            source = address;
        }
        source
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// One entry: an address, perhaps with a port, IPv6 then in brackets.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|a| a.ip()));
    address
        .or_else(|_| text.trim_start_matches('[').trim_end_matches(']').parse())
        .ok()
        .map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(trusted: &[&str], peer: &str, forwarded: &[&'static str]) -> String {
        let proxies = TrustedProxies::new(trusted.iter().map(|net| net.parse().unwrap()).collect());
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        proxies.resolve(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a46_the_header_is_ignored_unless_the_peer_is_trusted() {
        assert_eq!(
            source(&[], "198.51.100.7", &["203.0.113.9"]),
            "198.51.100.7"
        );
        assert_eq!(
            source(&["10.0.0.0/8"], "198.51.100.7", &["203.0.113.9"]),
            "198.51.100.7"
        );
    }

    #[test]
    fn a46_the_right_most_untrusted_address_is_the_source() {
        let trusted = &["10.0.0.0/8"];
        assert_eq!(
            source(trusted, "10.0.0.1", &["1.1.1.1, 203.0.113.9"]),
            "203.0.113.9"
        );
        assert_eq!(
            source(trusted, "10.0.0.1", &["1.1.1.1, 203.0.113.9, 10.0.0.2"]),
            "203.0.113.9"
        );
        assert_eq!(
            source(trusted, "10.0.0.1", &["1.1.1.1", "203.0.113.9,10.0.0.2"]),
            "203.0.113.9"
        );
        assert_eq!(
            source(trusted, "10.0.0.1", &["203.0.113.9, nonsense"]),
            "10.0.0.1"
        );
        assert_eq!(source(trusted, "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn a46_spellings_of_one_address_are_one_source() {
        let trusted = &["10.0.0.0/8"];
        assert_eq!(
            source(trusted, "::ffff:10.0.0.1", &["::ffff:203.0.113.9"]),
            "203.0.113.9"
        );
        assert_eq!(
            source(trusted, "10.0.0.1", &["203.0.113.9:4711"]),
            "203.0.113.9"
        );
        assert_eq!(
            source(trusted, "10.0.0.1", &["[2001:DB8::1]:4711"]),
            "2001:db8::1"
        );
    }
}
