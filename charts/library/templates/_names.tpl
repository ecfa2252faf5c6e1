{{/*
Names and labels. A release is called after its component, so objects are called after the release;
a part of a component (the hub's proxy) has its own name, given as `part`.
All take (dict "root" $ "part" "proxy"); without `part`, the release's own.
*/}}

{{- define "swath.name" -}}
{{ .part | default .root.Release.Name }}
{{- end }}

{{/* What tells a part's pods from all others. Never changes: selectors of Deployments are immutable. */}}
{{- define "swath.selector" -}}
app.kubernetes.io/name: {{ .part | default .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part | default .root.Chart.Name }}
{{- end }}

{{- define "swath.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{ include "swath.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | default .root.Chart.Version | quote }}
app.kubernetes.io/part-of: swath
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- define "swath.metadata" -}}
name: {{ include "swath.name" . }}
namespace: {{ .root.Release.Namespace }}
labels: {{- include "swath.labels" . | nindent 2 }}
{{- end }}

{{/* Namespace of another component of the same installation: (dict "root" $ "component" "keycloak"). */}}
{{- define "swath.namespace" -}}
{{ printf "%s-%s" .root.Values.installation .component }}
{{- end }}

{{/* Address of a component as browsers and pods know it; the port is left out where it is https' own. */}}
{{- define "swath.url" -}}
{{- $port := int .root.Values.httpsPort -}}
https://{{ .host | default .root.Values.host }}{{ if ne $port 443 }}:{{ $port }}{{ end }}
{{- end }}

{{/* Port on which ingress pods listen: that of the addresses, unless binding it needs a privilege. */}}
{{- define "swath.ingressPort" -}}
{{ $port := int .Values.httpsPort }}{{ if lt $port 1024 }}8443{{ else }}{{ $port }}{{ end }}
{{- end }}
