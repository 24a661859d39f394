#!/bin/bash
# Waits for the files that `verifier lab up` puts into /etc/lab, then starts the three services and ends with the first
# that ends, so that a dead one is seen as a container that does not run. /run holds the process id of each.
set -eu

# The mail user's password stays in use as a hash only; it is made from stdin, so that no argument shows the password.
hash_password() {
    local hashed
    hashed=$(smtpctl encrypt </etc/lab/mail-password)
    printf '%s %s\n' "$(cat /etc/lab/mail-user)" "$hashed" >/etc/lab/credentials
    chown root:opensmtpd /etc/lab/credentials
    chmod 0640 /etc/lab/credentials
}

start_as() {
    local user=$1 name=$2
    shift 2
    setpriv --reuid="$user" --regid="$user" --clear-groups "$@" <&0 >"/var/log/$name.log" 2>&1 &
    echo $! >"/run/$name.pid"
}

umask 027
until [ -e /etc/lab/ready ]; do sleep 0.1; done
hash_password

smtpd -d >/var/log/mail.log 2>&1 &
echo $! >/run/mail.pid
# The keys come in as stdin: the tracker's own user cannot open the file.
start_as tracker tracker python3 -u /usr/local/lib/tracker.py </etc/lab/tracker-keys
start_as prometheus prometheus prometheus --config.file=/etc/prometheus/prometheus.yml \
    --storage.tsdb.path=/var/lib/prometheus --storage.tsdb.retention.time=6h --web.listen-address=:9090

# However the first one ended: that it did is what counts.
wait -n || true
echo "one of the services has ended; see /var/log" >&2
exit 1
