{{- define "ingress.config" -}}
global
  log stdout format raw local0 info
  maxconn 4000
  # TLS as Mozilla's intermediate profile has it.
  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
  ssl-default-bind-ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
  ssl-default-bind-curves X25519:prime256v1:secp384r1
  # tls.crt has its key beside it as tls.key.
  ssl-load-extra-del-ext
  ssl-load-extra-files key
  # Old workers of a reload end with their websockets, or after this.
  hard-stop-after {{ .Values.timeouts.websocket }}s

defaults
  mode http
  log global
  option httplog
  option dontlognull
  timeout connect 10s
  # Against clients that open a connection and dawdle.
  timeout http-request 30s
  timeout http-keep-alive 60s
  timeout client {{ .Values.timeouts.client }}s
  timeout server {{ .Values.timeouts.server }}s
  timeout tunnel {{ .Values.timeouts.server }}s
  timeout queue 30s
  retries 2

resolvers cluster
  parse-resolv-conf
  hold valid 10s
  hold nx 5s
  hold other 5s
  accepted_payload_size 4096

frontend health
  bind :8404
  no log
  monitor-uri /healthz
  http-request use-service prometheus-exporter if { path /metrics }
  http-request return status 404

frontend https
  bind :{{ include "swath.ingressPort" . }} ssl crt /etc/haproxy-tls/tls.crt alpn h2,http/1.1
  http-request set-var(txn.host) req.hdr(host),field(1,:),lower
  # What a client claims about itself is not handed on.
  http-request del-header Forwarded
  http-request del-header X-Scheme
  http-request del-header ^X-Forwarded- -m reg
  http-request del-header ^X-Real- -m reg
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto https
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port {{ .Values.httpsPort }}
  {{- if .Values.hstsSeconds }}
  http-response set-header Strict-Transport-Security max-age={{ int .Values.hstsSeconds }}
  {{- end }}
  {{- range .Values.routes }}
  use_backend {{ .host }} if { var(txn.host) -m str {{ .host | lower }} }
  {{- end }}
  default_backend unknown-host

backend unknown-host
  http-request return status 421 content-type text/plain string "No component has this host name.\n"
{{- range .Values.routes }}

backend {{ .host }}
  {{- if .websockets }}
  timeout tunnel {{ $.Values.timeouts.websocket }}s
  {{- end }}
  # Looked up while running: the service may come later, or come back with another address.
  server service {{ .service }}.{{ .namespace }}.svc.{{ $.Values.clusterDomain }}:{{ .port }} resolvers cluster init-addr none resolve-prefer ipv4
{{- end }}
{{- end }}
