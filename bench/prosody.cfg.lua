-- Prosody for `make bench`. What stands in {{braces}} is filled in by loadgen.
-- The modules are those of Debian's default configuration that serve clients;
-- rate limits are off for every server that is measured, and so is federation where it is not the case.

admins = {}
run_as_root = true
daemonize = false
pidfile = "{{dir}}/prosody.pid"
data_path = "{{dir}}"

c2s_interfaces = { "127.0.0.1" }
c2s_ports = {}
c2s_direct_tls_interfaces = { "127.0.0.1" }
c2s_direct_tls_ports = { {{port}} }
http_ports = {}
https_ports = { {{https}} }
https_interfaces = { "127.0.0.1" }

-- Debian's default leaves Nagle's algorithm on, which holds small packets back
-- for milliseconds. Off is kinder to Prosody's latency and what we compare with.
network_settings = { nagle = false }

modules_enabled = {
	"disco"; "roster"; "saslauth"; "tls";
	"blocklist"; "bookmarks"; "carbons"; "pep"; "private"; "smacks"; "vcard4"; "vcard_legacy"; "csi_simple";
	"ping"; "time"; "uptime"; "version"; "posix"; {{modules}}
}
modules_disabled = { {{disabled}} }

authentication = "internal_hashed"
c2s_require_encryption = true
ssl = { certificate = "{{dir}}/chain.pem"; key = "{{dir}}/key.pem"; cafile = "{{dir}}/ca.pem" }

{{federation}}
storage = { archive = "sql"; muc_log = "sql" }
sql = { driver = "SQLite3"; database = "archive.sqlite" }
archive_expires_after = "1w"
muc_log_expires_after = "1w"
-- More than any run stores: the quota would silently drop the oldest.
storage_archive_item_limit = 10000000

log = { warn = "{{dir}}/prosody.log" }

VirtualHost "{{domain}}"
{{components}}
