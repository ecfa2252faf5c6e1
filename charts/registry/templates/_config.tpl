{{- define "registry.config" -}}
version: 0.1
log:
  level: info
  formatter: json
  accesslog:
    disabled: false
storage:
  filesystem:
    rootdirectory: /var/lib/registry
  delete:
    enabled: true
  # No cache of blobs in memory: after a garbage collection it would claim what is gone.
  maintenance:
    uploadpurging: {enabled: true, age: 24h, interval: 24h, dryrun: false}
auth:
  htpasswd:
    realm: {{ .Values.host }}
    path: /etc/registry-login/htpasswd
http:
  addr: :5000
  host: {{ include "swath.url" (dict "root" $) }}
  debug:
    addr: :5001
  headers:
    X-Content-Type-Options: [nosniff]
health:
  storagedriver: {enabled: true, interval: 30s, threshold: 3}
{{- end }}

{{- define "registry.mounts" -}}
- {name: images, mountPath: /var/lib/registry}
- {name: config, mountPath: /etc/registry, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- end }}

{{- define "registry.volumes" -}}
- name: images
  persistentVolumeClaim:
    claimName: {{ .Release.Name }}
- name: config
  configMap:
    name: {{ .Release.Name }}
- name: tmp
  emptyDir: {sizeLimit: 32Mi}
{{- end }}
