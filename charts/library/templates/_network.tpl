{{/*
Network policies. Each release denies all to and from its pods, then allows what it needs, by name.
Ports are those of pods: policies are applied after a Service's address was translated.
*/}}

{{/* Head of a policy that selects one part: (dict "root" $ "part" … "policy" SUFFIX). */}}
{{- define "swath.policyMetadata" -}}
name: {{ include "swath.name" . }}-{{ .policy }}
namespace: {{ .root.Release.Namespace }}
labels: {{- include "swath.labels" . | nindent 2 }}
{{- end }}

{{/* Nothing in or out for any pod of the release, except questions to the cluster's DNS. */}}
{{- define "swath.defaultDeny" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{- include "swath.policyMetadata" (dict "root" .root "policy" "default") | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/instance: {{ .root.Release.Name }}
  policyTypes: [Ingress, Egress]
  ingress: []
  egress:
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
      ports: {{- include "swath.dnsPorts" . | trim | nindent 8 }}
    {{- with .root.Values.networkPolicy.dns.cidr }}
    - to:
        - ipBlock:
            cidr: {{ . }}
      ports: {{- include "swath.dnsPorts" $ | trim | nindent 8 }}
    {{- end }}
{{- end }}

{{- define "swath.dnsPorts" -}}
{{- range .root.Values.networkPolicy.dns.ports }}
- {protocol: UDP, port: {{ . }}}
- {protocol: TCP, port: {{ . }}}
{{- end }}
{{- end }}

{{/* Peer: pods of a namespace of this installation, or of this release's own where component is empty. */}}
{{- define "swath.peer" -}}
{{- if .component -}}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ include "swath.namespace" . }}
  {{- with .name }}
  podSelector:
    matchLabels:
      app.kubernetes.io/name: {{ . }}
  {{- end }}
{{- else -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/name: {{ .name }}
      app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}
{{- end }}

{{/* Peer: what answers for the addresses, our own ingress or the controller that the cluster has. */}}
{{- define "swath.wayIn" -}}
{{- with .root.Values.networkPolicy.controllerNamespace -}}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ . }}
{{- else -}}
{{ include "swath.peer" (dict "root" .root "component" "ingress") }}
{{- end }}
{{- end }}

{{/* To the installation's own addresses: through what answers for them, or whatever stands before a real cluster. */}}
{{- define "swath.egressToAddresses" -}}
- to: {{- include "swath.wayIn" . | nindent 4 }}
{{- /* On which port a controller's pods listen is theirs to choose. */}}
{{- if not .root.Values.networkPolicy.controllerNamespace }}
  ports:
    - port: {{ include "swath.ingressPort" .root }}
{{- end }}
{{- with .root.Values.networkPolicy.addresses }}
- to:
    {{- range . }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  ports:
    - port: {{ $.root.Values.httpsPort }}
{{- end }}
{{- end }}

{{/* What an installation adds, as rules of a NetworkPolicy. */}}
{{- define "swath.extraPolicy" -}}
{{- with .root.Values.networkPolicy }}
{{- if or .extraIngress .extraEgress }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{- include "swath.policyMetadata" (dict "root" $.root "policy" "extra") | nindent 2 }}
spec:
  podSelector:
    matchLabels: {{- include "swath.selector" $ | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress: {{- toYaml .extraIngress | nindent 4 }}
  egress: {{- toYaml .extraEgress | nindent 4 }}
{{- end }}
{{- end }}
{{- end }}
