{{/* What the hub's configuration, which is Python and not a template, reads. No secret is in it. */}}
{{- define "hub.settings" -}}
{{- $v := .Values -}}
{{- dict
  "namespace" .Release.Namespace
  "release" .Release.Name
  "url" (include "swath.url" (dict "root" $))
  "database" $v.database
  "oidc" $v.oidc
  "access" $v.access
  "profiles" $v.profiles
  "culling" $v.culling
  "storage" $v.storage
  "image" (include "swath.image" $v.workspace.image)
  "imagePullSecrets" $v.imagePullSecrets
  "trustConfigMap" $v.trust.configMap
  "environment" (merge (dict) $v.workspace.environment (include "swath.trustVariables" $ | fromYaml))
  "welcomeConfigMap" $v.workspace.welcomeConfigMap
  "startSeconds" $v.workspace.startSeconds
  "resources" $v.workspace.resources
  "podSecurity" (include "swath.podSecurity" $ | fromYaml)
  "containerSecurity" (include "swath.containerSecurity" $ | fromYaml)
  "labels" (dict "app.kubernetes.io/name" "workspace" "app.kubernetes.io/instance" .Release.Name "app.kubernetes.io/part-of" "swath" "app.kubernetes.io/managed-by" "kubespawner")
| toPrettyJson -}}
{{- end }}
