//! RFC 5929, RFC 9266: what names a TLS channel; XEP-0440 1.0 lists the types
//!
//! `tls-unique` is left out: it is undefined for TLS 1.3 and, without the extended master secret,
//! unsafe before.

use std::fmt;

/// A channel binding type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChannelBinding {
    /// RFC 9266: 32 bytes exported from the TLS session.
    TlsExporter,
    /// RFC 5929 §4: the hash of the server's certificate.
    TlsServerEndPoint,
}

impl ChannelBinding {
    /// All types, strongest first.
    pub const ALL: [Self; 2] = [Self::TlsExporter, Self::TlsServerEndPoint];

    /// The registered unique prefix.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TlsExporter => "tls-exporter",
            Self::TlsServerEndPoint => "tls-server-end-point",
        }
    }

    /// The type of this name, if it is known here.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|binding| binding.name() == name)
    }
}

impl fmt::Display for ChannelBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is known about the encryption of a connection.
///
/// The default stands for a connection that is encrypted by somebody else (a proxy on the same
/// machine): safe to send passwords over, impossible to bind to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsInfo {
    /// The protocol version on the wire: `0x0303` is TLS 1.2, `0x0304` TLS 1.3 (XEP-0515).
    pub version: Option<u16>,
    /// RFC 9266: 32 bytes exported with the label `EXPORTER-Channel-Binding`, an empty context.
    /// `None` below TLS 1.3 unless the extended master secret was negotiated.
    pub exporter: Option<[u8; 32]>,
    /// RFC 5929 §4.1: the server certificate, hashed with the hash of its signature, SHA-256 in
    /// place of MD5 and SHA-1.
    pub end_point: Option<Vec<u8>>,
}

impl TlsInfo {
    /// The data of a binding type, if the connection has it.
    #[must_use]
    pub fn data(&self, binding: ChannelBinding) -> Option<&[u8]> {
        match binding {
            ChannelBinding::TlsExporter => self.exporter.as_ref().map(<[u8; 32]>::as_slice),
            ChannelBinding::TlsServerEndPoint => self.end_point.as_deref(),
        }
    }

    /// The types the connection has data for, strongest first.
    pub fn bindings(&self) -> impl Iterator<Item = ChannelBinding> + '_ {
        ChannelBinding::ALL.into_iter().filter(|binding| self.data(*binding).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bindings_with_data_are_listed() {
        assert_eq!(TlsInfo::default().bindings().count(), 0);
        let tls = TlsInfo { end_point: Some(vec![1; 32]), ..TlsInfo::default() };
        assert_eq!(tls.bindings().collect::<Vec<_>>(), [ChannelBinding::TlsServerEndPoint]);
        let tls = TlsInfo { exporter: Some([2; 32]), ..tls };
        assert_eq!(tls.bindings().next(), Some(ChannelBinding::TlsExporter));
    }
}
