#!/usr/bin/env bash
# make run: a trial server for `localhost` on this machine, from nothing to an invitation, with the
# client for browsers in it and the client for the terminal beside it.
# DATA=directory chooses where it keeps its data; the default is ./data. WEB=no leaves the client for
# browsers as it is, or out.
. "$(dirname "$0")/lib.sh"

DATA=${DATA:-data}
ANEMONE=target/release/anemone
CLOWNFISH=target/release/clownfish
LOG=$DATA/anemone.log
began=$SECONDS
server=''

# Is something listening on this loopback port?
port_taken() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The port itself when it is free, else the next free one a thousand above. Further arguments are
# ports that other listeners of ours have.
free_port() {
  local port=$1
  shift
  if port_taken "$port"; then
    port=$((port + 1000))
    while port_taken "$port" || [[ " $* " == *" $port "* ]]; do port=$((port + 1)); done
  fi
  printf '%s' "$port"
}

# port_of c2s: the port that the configuration gives a listener.
port_of() {
  sed -n "s/^$1 *= *\[ *\"127\.0\.0\.1:\([0-9]*\)\".*/\1/p" "$DATA/anemone.toml" | head -n 1
}

# Gives the listeners loopback addresses in place of the public ones that `init` writes. Ports
# above 1024 need no privilege, so that the trial runs as anybody. Browsers take plain HTTP from their
# own machine for secure, so nobody has to let them trust the trial's authority; files have the address
# with TLS, which is the one that other apps take.
write_listeners() {
  local config=$DATA/anemone.toml
  awk '/^\[/ { inside = ($0 ~ /^\[listen\]/) } !inside' "$config" >"$config.new"
  cat >>"$config.new" <<EOF

# A trial on this machine only: loopback addresses.
[listen]
c2s = ["127.0.0.1:5222"]
c2s_tls = ["127.0.0.1:5223"]
https = ["127.0.0.1:5443"]
http = ["127.0.0.1:5280"]

[front_door]
url = "http://localhost:5280"

[upload]
url = "https://localhost:5443"
EOF
  mv "$config.new" "$config"
}

# Moves a listener whose port somebody else holds, and says so.
move_taken_ports() {
  local key port other ours=()
  for key in c2s c2s_tls https http; do
    port=$(port_of "$key")
    [ -n "$port" ] || continue
    other=$(free_port "$port" "${ours[@]}")
    ours+=("$other")
    [ "$port" != "$other" ] || continue
    say "    port $port is taken by another program: using $other for $key"
    sed -i -e "s/^\($key *= *\[ *\"127\.0\.0\.1:\)$port\"/\1$other\"/" \
      -e "s|^\(url *= *\"$key://localhost:\)$port\"|\1$other\"|" "$DATA/anemone.toml"
  done
}

# Data of an earlier trial had no door for browsers without TLS.
add_web_door() {
  [ -z "$(port_of http)" ] && [ -n "$(port_of https)" ] || return 0
  grep -q '^\[front_door\]\|^\[upload\]' "$DATA/anemone.toml" && return 0
  sed -i '/^https *=/a http = ["127.0.0.1:5280"]' "$DATA/anemone.toml"
  printf '\n[front_door]\nurl = "http://localhost:5280"\n\n[upload]\nurl = "https://localhost:%s"\n' \
    "$(port_of https)" >>"$DATA/anemone.toml"
}

# A server that already runs on this data holds the ports itself; a second one would be refused.
refuse_if_running() {
  "$ANEMONE" status --json --data "$DATA" | grep -q '"running":true' || return 0
  die "A server is running on $DATA already. Stop it first, or choose another place: make run DATA=other"
}

start_server() {
  "$ANEMONE" serve --data "$DATA" >>"$LOG" 2>&1 &
  server=$!
  # The server says it is ready by listening; one that could not start has ended instead.
  while ! port_taken "$(port_of https)"; do
    kill -0 "$server" 2>/dev/null || return 1
    sleep 0.1
  done
}

# Ctrl-C reaches the server as well, which then closes its streams and its database. The terminal may
# be gone by now, and with it whoever could read what is said here.
stop_server() {
  trap '' INT TERM HUP
  kill -TERM "$server" 2>/dev/null || true
  { say '' && say '==> stopping'; } 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  say "    stopped. The data stays in $DATA; \`make run\` goes on from there." 2>/dev/null || true
  exit 0
}

# The first account comes in by an invitation, like everybody's. Later starts find it.
invite_first_admin() {
  "$ANEMONE" status --json --data "$DATA" | grep -q '"accounts":0,' || return 0
  say ''
  say 'The invitation of the first administrator:'
  say ''
  "$ANEMONE" invite new --admin --data "$DATA"
}

say_what_next() {
  local https http at='' app
  https=$(port_of https)
  http=$(port_of http)
  app=${http:+http://localhost:$http/}
  # Clients look for the usual port by themselves.
  [ "$(port_of c2s)" = 5222 ] || at=" --server 127.0.0.1:$(port_of c2s)"
  cat <<EOF

The server of the domain "localhost" is running, on this machine only.

  What to do next
  1. Open the invitation in a browser on this machine, and go on there or in any other app.
  2. Invite a second person:  $ANEMONE invite new --data $DATA
     In the same browser, a private window is somebody else.
  3. Write to each other.

  In another terminal, with the client for the terminal:
     $CLOWNFISH register 'xmpp:localhost?register;preauth=…' --name NAME --ca $DATA/ca.pem$at
     $CLOWNFISH

  Clownfish           ${app:-https://localhost:$https/}
  Clients find it at  127.0.0.1 port $(port_of c2s) (STARTTLS), $(port_of c2s_tls) (TLS)
  Web pages           https://localhost:$https/about
  Its own authority   $DATA/ca.pem   let clients and browsers trust this file
  Configuration       $DATA/anemone.toml
  Log                 $LOG
  All commands        $ANEMONE --help

  Ready after $(spell_seconds $((SECONDS - began))). Ctrl-C stops it.
EOF
}

scripts/bootstrap.sh run
need_rust
[ "${WEB:-yes}" = no ] || scripts/web.sh
timed 'building the server and the client (the first time takes some minutes)' \
  cargo build --release --locked --package anemone --package clownfish

if [ ! -e "$DATA/anemone.toml" ]; then
  say "==> a new server for localhost in $DATA"
  "$ANEMONE" init --data "$DATA" --domain localhost >/dev/null
  write_listeners
fi
refuse_if_running
add_web_door
move_taken_ports

say '==> starting'
trap stop_server INT TERM HUP
start_server || {
  tail -n 5 "$LOG" >&2
  die "The server did not start. Its log is $LOG."
}
invite_first_admin
say_what_next
wait "$server" || die "The server ended by itself. Its log is $LOG."
