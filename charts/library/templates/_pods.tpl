{{/*
Pods that meet the *restricted* Pod Security Standard, and go further: a read-only root file system, and no
service-account token unless the pod talks to the API server.
*/}}

{{/* Reference of an image: by digest where there is one, else by tag. */}}
{{- define "swath.image" -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ required (printf "image %s: tag or digest must be given" .repository) .tag }}
{{- end -}}
{{- end }}

{{- define "swath.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
# Changing the owner of a large volume file by file at each start would take minutes.
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "swath.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The part of a pod's specification that is the same for all: (dict "root" $ "serviceAccount" NAME "token" bool). */}}
{{- define "swath.pod" -}}
serviceAccountName: {{ .serviceAccount | default .root.Release.Name }}
automountServiceAccountToken: {{ .token | default false }}
enableServiceLinks: false
securityContext: {{- include "swath.podSecurity" . | nindent 2 }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Image, security, and resources of a container: (dict "root" $ "image" … "resources" …). */}}
{{- define "swath.container" -}}
image: {{ include "swath.image" .image }}
imagePullPolicy: IfNotPresent
securityContext: {{- include "swath.containerSecurity" . | nindent 2 }}
resources: {{- toYaml .resources | nindent 2 }}
{{- end }}

{{- define "swath.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata: {{- include "swath.metadata" . | nindent 2 }}
automountServiceAccountToken: false
{{- end }}

{{/* Only where more than one replica runs: a budget for a single pod would block the draining of its node. */}}
{{- define "swath.disruptionBudget" -}}
{{- if gt (int .replicas) 1 }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{- include "swath.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "swath.selector" . | nindent 6 }}
{{- end }}
{{- end }}
