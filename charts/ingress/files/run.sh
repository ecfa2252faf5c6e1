#!/bin/sh
# Starts haproxy, and has it load the certificate anew when the mounted Secret changes: the kubelet swaps the
# link ..data then. Connections that are open keep their old worker. A broken certificate leaves the old one in use.
set -u
state() { cksum /etc/haproxy-tls/tls.crt /etc/haproxy-tls/tls.key 2>/dev/null; }
before=$(state)
haproxy -W -db -f /etc/haproxy/haproxy.cfg &
haproxy=$!
# haproxy finishes what is open on USR1; the pod's grace period bounds it.
trap 'kill -USR1 "$haproxy"' TERM INT
while kill -0 "$haproxy" 2>/dev/null; do
  sleep 5 &
  wait $! # a signal ends the wait, not the sleep
  now=$(state)
  if [ "$now" != "$before" ]; then
    before=$now
    if haproxy -c -q -f /etc/haproxy/haproxy.cfg; then
      echo "run.sh: the certificate has changed, reloading"
      kill -USR2 "$haproxy"
    else
      echo "run.sh: the new certificate cannot be used, the old one stays" >&2
    fi
  fi
done
wait "$haproxy"
