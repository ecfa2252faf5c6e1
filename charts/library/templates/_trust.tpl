{{/*
Trust in the installation's private CA. The ConfigMap has `ca.crt` (our CA alone, for what adds to the system's) and
`bundle.crt` (the system's CAs and ours, for what replaces them).
*/}}

{{- define "swath.trustVolume" -}}
- name: trust
  configMap:
    name: {{ .Values.trust.configMap }}
{{- end }}

{{- define "swath.trustMount" -}}
- name: trust
  mountPath: /etc/swath/trust
  readOnly: true
{{- end }}

{{/* As a mapping, for charts that hand it on to pods that they do not write themselves. */}}
{{- define "swath.trustVariables" -}}
SSL_CERT_FILE: /etc/swath/trust/bundle.crt
REQUESTS_CA_BUNDLE: /etc/swath/trust/bundle.crt
CURL_CA_BUNDLE: /etc/swath/trust/bundle.crt
GIT_SSL_CAINFO: /etc/swath/trust/bundle.crt
PIP_CERT: /etc/swath/trust/bundle.crt
NODE_EXTRA_CA_CERTS: /etc/swath/trust/ca.crt
{{- end }}

{{- define "swath.trustEnv" -}}
{{- range $name, $value := include "swath.trustVariables" . | fromYaml }}
- name: {{ $name }}
  value: {{ $value }}
{{- end }}
{{- end }}
