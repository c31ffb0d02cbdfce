#!/bin/sh
# Runs a real Exim in FOLDER on 127.0.0.1:PORT until standard input closes.
#   exim.sh FOLDER PORT CERTIFICATE KEY
# It queues what it takes; `exim4 -C FOLDER/exim.conf -qff` delivers it to FOLDER/mail and
# returns when it is there, so that nobody has to wait for a file to appear.
set -eu
exim=$(command -v exim4 || echo /usr/sbin/exim4)
mkdir -p "$1/spool" "$1/log" "$1/mail"
chmod 0777 "$1" "$1/spool" "$1/log" "$1/mail"
cat >"$1/exim.conf" <<EOF
primary_hostname = localhost
spool_directory = $1/spool
log_file_path = $1/log/%slog
pid_file_path = $1/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = $2
queue_only = true
tls_advertise_hosts = *
tls_certificate = $3
tls_privatekey = $4
domainlist local_domains = example.org
acl_smtp_rcpt = rcpt
acl_smtp_data = data
keep_environment =
begin acl
rcpt:
  deny !authenticated = *
       message = 5.7.0 log in first
  deny !domains = +local_domains
       message = 5.7.1 no relay
  deny !local_parts = user
       message = 5.1.1 unknown user
  accept
data:
  accept
begin routers
maildir:
  driver = accept
  domains = +local_domains
  transport = maildir
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = $1/mail
  create_directory
  envelope_to_add
  return_path_add
  user = Debian-exim
  group = Debian-exim
begin retry
* * F,1h,1m
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = \${if and{{eq{\$auth2}{mailer}}{eq{\$auth3}{correct horse}}}}
  server_set_id = \$auth2
  server_advertise_condition = \${if def:tls_in_cipher}
EOF
"$exim" -C "$1/exim.conf" -bdf &
child=$!
trap 'kill $child 2>/dev/null && wait $child || :' EXIT
# The daemon has its socket once it answers.
until grep -q 'listening for SMTP' "$1/log/mainlog" 2>/dev/null; do
    kill -0 $child || exit 1
    sleep 0.02
done
echo ready
cat >/dev/null
